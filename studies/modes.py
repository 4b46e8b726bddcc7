"""docs/modes.md and docs/results/modes.json, made from the JUnit files of `tests/workloads/every_mode.py`.

`python -m studies.modes JUNIT...`; the run may have been cut into pieces.
"""

from __future__ import annotations

import json
import platform
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from joulemark.suite.machine import describe
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.workloads.registry import workloads

DOCS = Path(__file__).parents[1] / "docs"
PRECISIONS = ("fp32", "bf16", "fp16")
PACKAGES = ("torch", "tensorflow", "keras")

_HEAD = """# Modes and precisions

Made by `python -m studies.modes` from the run of `tox -e modes`; do not edit.

Every workload at size `tiny` in every phase, framework, mode and precision that it claims: two steps, all outputs
finite. In fp32 each mode's first outputs are those of eager mode within 1e-3 (||a-b||/||b||). In bf16 and fp16 an
output or an update of the weights differs from fp32's by 1e-6 at least, so that something was cast; how near half
precision is to fp32, and what the frameworks owe each other, is asked by the tests of conformance and parity.
"""


def read(paths: Sequence[Path]) -> dict[str, Any]:
    """The run as plain data: where, when, how long, and each case with its outcome."""
    cases, wall_s, stamps = {}, 0.0, []
    for path in paths:
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            wall_s += float(suite.attrib["time"])
            stamps.append(suite.attrib["timestamp"])
            cases |= dict(_case(case) for case in suite.iter("testcase"))
    machine = describe(())
    return {
        "finished": max(stamps)[:10],
        "processor": machine.cpu.model,
        "cores": machine.cpu.usable_cores,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "wall_s": round(wall_s),
        "cases": dict(sorted(cases.items())),
    }


def _case(element: ElementTree.Element) -> tuple[str, dict[str, Any]]:
    """`workload/phase/framework/mode/precision` -> outcome, seconds and, unless it passed, the reason."""
    name = element.attrib["name"].partition("[")[2].removesuffix("]").replace("-", "/")
    found: dict[str, Any] = {"outcome": "passed", "s": round(float(element.attrib["time"]), 2)}
    for outcome in ("skipped", "failure", "error"):
        for child in element.iter(outcome):
            found |= {"outcome": outcome, "reason": " ".join(child.attrib.get("message", "").split())[:200]}
    return name, found


def document(run: Mapping[str, Any]) -> str:
    """The page."""
    return "\n".join(
        [_HEAD, *_summary(run), "", *_table(run["cases"]), "", *_not_passed(run["cases"]), *_left_out(), ""]
    )


def _summary(run: Mapping[str, Any]) -> Iterator[str]:
    outcomes: dict[str, int] = defaultdict(int)
    for case in run["cases"].values():
        outcomes[case["outcome"]] += 1
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    yield f"{run['finished']}, {run['processor']}, {run['cores']:g} cores, Python {run['python']}, {versions}:"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    yield f"**{len(run['cases'])} cases, {counts}; {run['wall_s'] / 60:.0f} minutes in all.**"


def claimed() -> list[str]:
    """All cases that the specs claim, as `tests/workloads/every_mode.py` has them."""
    return [
        f"{workload.id}/{phase}/{framework.name}/{mode}/{precision}"
        for workload in workloads().values()
        for phase in workload.phases
        for framework in FRAMEWORKS.values()
        for mode, kind in framework.modes.items()
        for precision in PRECISIONS
        if precision in workload.precisions and (workload.compiles or kind != "compiled")
    ]


def _table(cases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Cases passed, of those claimed, and their time, by framework, mode and precision."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for name in claimed():
        wanted[name.split("/", 2)[2]].append(name)
    yield "| framework | mode | " + " | ".join(f"{precision}: passed, seconds" for precision in PRECISIONS) + " |"
    yield "|---|---|" + "---:|" * len(PRECISIONS)
    for framework in FRAMEWORKS.values():
        for mode in framework.modes:
            cells = []
            for precision in PRECISIONS:
                names = wanted[f"{framework.name}/{mode}/{precision}"]
                found = [cases[name] for name in names if name in cases]
                passed = sum(case["outcome"] == "passed" for case in found)
                cells.append(f"{passed} of {len(names)}, {sum(case['s'] for case in found):.0f}")
            yield f"| {framework.title} | {mode} | {' | '.join(cells)} |"


def _not_passed(cases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    found = {name: case for name, case in cases.items() if case["outcome"] != "passed"}
    absent = sum(name not in cases for name in claimed())
    if absent:
        yield f"{absent} cases were not run.\n"
    if found:
        yield "Not passed:\n"
        yield from (f"- `{name}`: {case['outcome']}; {case['reason']}" for name, case in found.items())
        yield ""


def _left_out() -> Iterator[str]:
    """What the specs do not claim; `joulemark run` lists such a case as skipped, with this reason."""
    known = workloads().values()
    yield "What no workload claims is skipped, never run under another name:\n"
    yield "- tf32 is a mode of NVIDIA's tensor cores: on a board only."
    limited: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for workload in known:
        missing = tuple(p for p in PRECISIONS if p not in workload.precisions)
        if missing:
            limited[missing].append(f"`{workload.id}`")
    yield from (f"- not in {' and '.join(missing)}: {', '.join(names)}." for missing, names in limited.items())
    whole = [f"`{workload.id}`" for workload in known if not workload.compiles]
    yield f"- not compiled, since a step is nothing that a compiler could take in: {', '.join(whole)}."


def main(arguments: Sequence[str]) -> None:
    """Write both files."""
    run = read([Path(argument) for argument in arguments])
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in run.pop("cases").items())
    head = json.dumps(run)[:-1]
    kept = DOCS / "results" / "modes.json"
    kept.write_text(f'{head}, "cases": {{\n{lines}\n}}}}\n')
    (DOCS / "modes.md").write_text(document(json.loads(kept.read_text())))


if __name__ == "__main__":
    main(sys.argv[1:])
