"""JUnit XML as Jenkins, GitLab and others read it (schema `junit-10.xsd` of Jenkins' xUnit plugin).

A case is a test: ok passes, failed and skipped have their reasons. Numbers are in `system-out`, since the schema has no
properties for tests.
"""

from __future__ import annotations

from xml.etree import ElementTree

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.table import Column, Row, table
from joulemark.suite.system.text import one_line, printable


def render(run_file: RunFile) -> str:
    """Return the document: the run as one suite, each case as one test."""
    run_table = table(run_file)
    statuses = [row.status for row in run_table.rows]
    counts = {"tests": str(len(statuses)), "failures": str(statuses.count("failed")), "errors": "0"}
    time = f"{sum(_duration_s(row.case) for row in run_table.rows):.3f}"
    root = ElementTree.Element("testsuites", {"name": "joulemark", "time": time, **counts})
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {
            "name": f"joulemark {run_file.run.profile}",
            "time": time,
            **counts,
            "skipped": str(statuses.count("skipped")),
            "timestamp": run_file.run.started_at,
            "hostname": run_file.machine.hostname,
            "id": run_file.run.id,
        },
    )
    _add_properties(suite, run_file)
    for row in run_table.rows:
        _add_test(suite, row, run_table.columns)
    ElementTree.indent(root, " ")
    # XML 1.0 cannot contain most control characters (https://www.w3.org/TR/xml/#charsets).
    document = printable(ElementTree.tostring(root, encoding="unicode"))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{document}\n'


def _add_properties(suite: ElementTree.Element, run_file: RunFile) -> None:
    machine, emissions = run_file.machine, run_file.emissions
    values = {
        "joulemark": run_file.run.suite_version,
        "complete": str(run_file.run.complete).lower(),
        "cpu": machine.cpu.model,
        **{f"gpu {gpu.index}": gpu.name for gpu in machine.gpus},
        **{name: info.version for name, info in machine.frameworks.items()},
        "intensity, g/kWh": f"{emissions.intensity.g_per_kwh:g} ({emissions.intensity.source})",
        "PUE": f"{emissions.pue.value:g} ({emissions.pue.source})",
    }
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})


def _add_test(suite: ElementTree.Element, row: Row, columns: tuple[Column, ...]) -> None:
    case = row.case
    test = ElementTree.SubElement(
        suite,
        "testcase",
        {
            "name": case.id,
            "classname": f"joulemark.{case.workload_id}",
            "time": f"{_duration_s(case):.3f}",
        },
    )
    if row.status == "ok":
        ElementTree.SubElement(test, "system-out").text = "\n".join(_line(row, column) for column in columns)
        return
    reason = one_line(row.reason or "no reason given")
    attributes = {"type": case.reason_code or row.status, "message": reason}
    ElementTree.SubElement(test, "failure" if row.status == "failed" else "skipped", attributes).text = reason


def _line(row: Row, column: Column) -> str:
    cell = row.cells[column.key]
    value = " ".join(part for part in (cell.mark + cell.text, cell.interval) if part)
    unit = f" {column.unit}" if column.unit and cell.value is not None else ""
    return one_line(f"{column.title}: {value}{unit}" + (f" ({cell.reason})" if cell.reason else ""))


def _duration_s(case: Case) -> float:
    """Return how long the trials took, from the start of a process to its end; an interrupted trial has no end."""
    spans = ((trial.started_s, trial.ended_s) for trial in case.trials)
    return sum(end - start for start, end in spans if start is not None and end is not None)
