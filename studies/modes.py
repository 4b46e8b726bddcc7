"""docs/modes.md and docs/results/modes.json, from the JUnit files of `tests/workloads/every_mode.py`.

`python -m studies.modes JUNIT...`: one file, or several if the tests were run in pieces.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from joulemark.suite.machine import describe
from joulemark.suite.trial.frameworks import FRAMEWORKS
from studies.modes_page import document

DOCS = Path(__file__).parents[1] / "docs"
PACKAGES = [name for each in FRAMEWORKS.values() for name in (each.distributions[0], *each.companions)]


def read(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the results as plain data: machine, versions, date, total time, and the outcome of each case."""
    cases: dict[str, Any] = {}
    small: dict[str, Any] = {}
    wall_s, timestamps = 0.0, []
    for path in paths:
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            wall_s += float(suite.attrib["time"])
            timestamps.append(suite.attrib["timestamp"])
            for element in suite.iterfind("testcase[@name]"):  # without a name: an interrupted run was at it
                name, case = _case(element)
                (small if element.attrib["name"].startswith("test_small") else cases)[name] = case
    machine = describe()
    return {
        "finished": max(timestamps)[:10],
        "processor": machine.cpu.model,
        "cores": machine.cpu.usable_cores,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "wall_s": round(wall_s),
        "pieces": len(paths),
        "cases": dict(sorted(cases.items())),
        "small": dict(sorted(small.items())),
    }


def _case(element: ElementTree.Element) -> tuple[str, dict[str, Any]]:
    """Return the name, and the outcome, seconds, figures of a training and, unless it passed, the reason.

    Names are `workload/phase/framework/mode/precision` and, at size small, `workload/framework/precision`.
    """
    name = element.attrib["name"].partition("[")[2].removesuffix("]").replace("-", "/")
    case: dict[str, Any] = {"outcome": "passed", "s": round(float(element.attrib["time"]), 2)}
    properties = {each.attrib["name"]: each.attrib["value"] for each in element.iter("property")}
    if losses := properties.pop("losses", ""):
        case["losses"] = [float(value) for value in losses.split()]
    if properties:
        case["training"] = {key: float(f"{float(value):.3g}") for key, value in properties.items()}
    for outcome in ("skipped", "failure", "error"):
        for child in element.iter(outcome):
            case |= {"outcome": outcome, "reason": " ".join(child.attrib.get("message", "").split())[:200]}
    return name, case


def main(junit_files: Sequence[Path]) -> None:
    """Write both files."""
    results = read(junit_files)
    tables = {kind: results.pop(kind) for kind in ("cases", "small")}
    lines = [json.dumps(results)[:-1]]
    for kind, cases in tables.items():
        entries = ",\n".join(f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
        lines.append(f'"{kind}": {{\n{entries}\n}}')
    target = DOCS / "results" / "modes.json"
    target.write_text(", ".join(lines) + "}\n")
    (DOCS / "modes.md").write_text(document(json.loads(target.read_text())))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main([Path(argument) for argument in sys.argv[1:]])
