"""JUnit XML as Jenkins, GitLab and others read it (the schema `junit-10.xsd` of Jenkins' xUnit plugin).

A case is a test: ok passes, failed and skipped carry their reasons. The numbers stand in `system-out`, since that
schema gives a test no properties.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.table import Column, Row, table

# Characters that XML 1.0 cannot hold at all (https://www.w3.org/TR/xml/#charsets), as in a coloured error message.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(run_file: RunFile) -> str:
    """One suite, the run; one test a case."""
    found = table(run_file)
    statuses = [row.status for row in found.rows]
    counts = {"tests": str(len(statuses)), "failures": str(statuses.count("failed")), "errors": "0"}
    time = f"{sum(_seconds(row.case) for row in found.rows):.3f}"
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
            "hostname": _text(run_file.machine.hostname),
            "id": run_file.run.id,
        },
    )
    _properties(suite, run_file)
    for row in found.rows:
        _test(suite, row, found.columns)
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _properties(suite: ElementTree.Element, run_file: RunFile) -> None:
    machine, used = run_file.machine, run_file.emissions
    values = {
        "joulemark": run_file.run.suite_version,
        "complete": str(run_file.run.complete).lower(),
        "cpu": machine.cpu.model,
        **{f"gpu {gpu.index}": gpu.name for gpu in machine.gpus},
        **{name: info.version for name, info in machine.frameworks.items()},
        "intensity, g/kWh": f"{used.intensity.g_per_kwh:g} ({used.intensity.source})",
        "PUE": f"{used.pue.value:g} ({used.pue.source})",
    }
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", {"name": _text(name), "value": _text(value)})


def _test(suite: ElementTree.Element, row: Row, columns: tuple[Column, ...]) -> None:
    case = row.case
    kind = case.workload_id
    named = {"name": _text(case.id), "classname": _text(f"joulemark.{kind}"), "time": f"{_seconds(case):.3f}"}
    test = ElementTree.SubElement(suite, "testcase", named)
    if row.status == "ok":
        ElementTree.SubElement(test, "system-out").text = "\n".join(_line(row, column) for column in columns)
        return
    reason = _text(row.reason or "no reason given")
    told = {"type": case.reason_code or row.status, "message": reason}
    ElementTree.SubElement(test, "failure" if row.status == "failed" else "skipped", told).text = reason


def _line(row: Row, column: Column) -> str:
    """One number for people, in the table's words."""
    cell = row.cells[column.key]
    shown = " ".join(part for part in (cell.mark + cell.text, cell.interval) if part)
    unit = f" {column.unit}" if column.unit and cell.value is not None else ""
    return _text(f"{column.title}: {shown}{unit}" + (f" ({cell.reason})" if cell.reason else ""))


def _seconds(case: Case) -> float:
    """How long its trials took, from the start of a process to its end; a trial cut off has no end."""
    spans = ((trial.started_s, trial.ended_s) for trial in case.trials)
    return sum(end - start for start, end in spans if start is not None and end is not None)


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
