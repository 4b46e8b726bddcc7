"""CSV: one line per case, with all columns of the table."""

from __future__ import annotations

import csv
import io

from joulemark.suite.records import RunFile
from joulemark.suite.results.export.case_rows import case_fields, case_rows
from joulemark.suite.system.text import spreadsheet_cell


def render(run_file: RunFile) -> str:
    """Return a header and one line per case, including failed and skipped ones."""
    names = list(case_fields(run_file))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in case_rows(run_file):
        writer.writerow(spreadsheet_cell(row[name]) for name in names)
    return text.getvalue()
