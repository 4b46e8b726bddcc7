"""The responses of a run: times of tokens, tokens per second and joules, in a table below that of all cases."""

from __future__ import annotations

from typing import Final

from rich.console import RenderableType
from rich.text import Text

from joulemark.suite.records import RunFile
from joulemark.suite.results.responses.texts import CLOSURE_TITLE, closure_text
from joulemark.suite.results.table import table
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.tables import AdaptiveTable, Column

COLUMNS: Final = (
    "ttft_p50_s", "tpot_p50_s", "tpot_p99_s", "prompt_tokens_per_s", "decoded_tokens_per_s",
    "energy_per_prompt_token_j", "energy_per_decoded_token_j", "energy_per_item_j", "energy_per_response_j",
)  # fmt: skip

TITLES: Final = {"energy_per_item_j": "Energy per new token (whole response)"}
"""Titles that differ from those of the results table."""


def response_table(run_file: RunFile) -> list[RenderableType]:
    """Return a title and the table; empty for a run without a measured response."""
    run_table = table(run_file)
    rows = [row for row in run_table.rows if row.case.response is not None and row.status == "ok"]
    if not rows:
        return []
    columns = [column for key in COLUMNS for column in run_table.columns if column.key == key]
    titles = (Column(f"{TITLES.get(column.key, column.title)}\n{column.unit}", right=True) for column in columns)
    shown = AdaptiveTable("Response", *titles, Column(CLOSURE_TITLE, right=True))
    for row in rows:
        response = row.case.response
        assert response is not None
        cells = (row.cells[column.key] for column in columns)
        tokens = f"{response.prompt_tokens} + {response.new_tokens} tokens"
        values = (f"{cell.mark}{cell.text}\n{cell.interval}".rstrip("\n") for cell in cells)
        shown.add(one_line(f"{row.case.id}, {tokens}"), *values, closure_text(response).replace(" [", "\n["))
    return [Text(""), shown]
