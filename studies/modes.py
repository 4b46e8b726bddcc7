"""docs/modes.md and docs/results/modes.json, from the JUnit files of `tests/workloads/every_mode.py`.

`python -m studies.modes JUNIT...`: one file, or several if the tests were run in pieces.
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

Written by `python -m studies.modes` from the results of `tox -e modes`; do not edit.

Every workload at size `tiny` in every phase, framework, mode and precision it supports: two steps, with finite outputs.
In fp32, the first outputs of each mode agree with those of eager mode within 1e-3 (||a-b||/||b||). In bf16 and fp16, an
output or a weight update differs from that in fp32 by at least 1e-6, which shows that something was cast; the
conformance and parity tests check how close half precision is to fp32, and the frameworks to each other.
"""


def read(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the results as plain data: machine, versions, date, total time, and the outcome of each case."""
    cases, wall_s, timestamps = {}, 0.0, []
    for path in paths:
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):
            wall_s += float(suite.attrib["time"])
            timestamps.append(suite.attrib["timestamp"])
            cases |= dict(_case(element) for element in suite.iter("testcase"))
    machine = describe()
    return {
        "finished": max(timestamps)[:10],
        "processor": machine.cpu.model,
        "cores": machine.cpu.usable_cores,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "wall_s": round(wall_s),
        "cases": dict(sorted(cases.items())),
    }


def _case(element: ElementTree.Element) -> tuple[str, dict[str, Any]]:
    """Return `workload/phase/framework/mode/precision`, and the outcome, seconds and, unless it passed, the reason."""
    name = element.attrib["name"].partition("[")[2].removesuffix("]").replace("-", "/")
    case: dict[str, Any] = {"outcome": "passed", "s": round(float(element.attrib["time"]), 2)}
    for outcome in ("skipped", "failure", "error"):
        for child in element.iter(outcome):
            case |= {"outcome": outcome, "reason": " ".join(child.attrib.get("message", "").split())[:200]}
    return name, case


def document(results: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    cases = results["cases"]
    return "\n".join([_HEAD, *_summary(results), "", *_table(cases), "", *_not_passed(cases), *_unsupported(), ""])


def _summary(results: Mapping[str, Any]) -> Iterator[str]:
    outcomes: dict[str, int] = defaultdict(int)
    for case in results["cases"].values():
        outcomes[case["outcome"]] += 1
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    machine = f"{results['processor']}, {results['cores']:g} cores, Python {results['python']}"
    yield f"{results['finished']}, {machine}, {versions}:"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    yield f"**{len(results['cases'])} cases, {counts}; {results['wall_s'] / 60:.0f} minutes in all.**"


def supported_cases() -> list[str]:
    """Return the names of all cases that the specs support, as `tests/workloads/every_mode.py` runs them."""
    return [
        f"{workload.id}/{phase}/{framework.name}/{mode}/{precision}"
        for workload in workloads().values()
        for phase in workload.phases
        for framework in FRAMEWORKS.values()
        for mode, mode_class in framework.modes.items()
        for precision in PRECISIONS
        if mode not in framework.gpu_modes
        and precision in workload.precisions
        and (workload.compiles or mode_class != "compiled")
    ]


def _table(cases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Return passed and supported cases, and their time, by framework, mode and precision."""
    supported: dict[str, list[str]] = defaultdict(list)
    for name in supported_cases():
        supported[name.split("/", 2)[2]].append(name)
    yield "| framework | mode | " + " | ".join(f"{precision}: passed, seconds" for precision in PRECISIONS) + " |"
    yield "|---|---|" + "---:|" * len(PRECISIONS)
    for framework in FRAMEWORKS.values():
        for mode in (each for each in framework.modes if each not in framework.gpu_modes):
            cells = []
            for precision in PRECISIONS:
                names = supported[f"{framework.name}/{mode}/{precision}"]
                tested = [cases[name] for name in names if name in cases]
                passed = sum(case["outcome"] == "passed" for case in tested)
                cells.append(f"{passed} of {len(names)}, {sum(case['s'] for case in tested):.0f}")
            yield f"| {framework.title} | {mode} | {' | '.join(cells)} |"


def _not_passed(cases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    missing = sum(name not in cases for name in supported_cases())
    if missing:
        yield f"{missing} cases were not run.\n"
    failed = {name: case for name, case in cases.items() if case["outcome"] != "passed"}
    if failed:
        yield "Not passed:\n"
        yield from (f"- `{name}`: {case['outcome']}; {case['reason']}" for name, case in failed.items())
        yield ""


def _unsupported() -> Iterator[str]:
    """Return what no spec supports; `joulemark run` lists such a case as skipped, with this reason."""
    yield "Cases that no workload supports are skipped, never replaced by others:\n"
    yield "- tf32 is a mode of NVIDIA's tensor cores: GPU only."
    for framework in FRAMEWORKS.values():
        for mode, reason in framework.gpu_modes.items():
            yield f"- {framework.title}'s mode `{mode}`: GPU only, where `benchmarks/gpu.py` runs it; {reason}."
    by_precisions: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for workload in workloads().values():
        missing = tuple(precision for precision in PRECISIONS if precision not in workload.precisions)
        if missing:
            by_precisions[missing].append(f"`{workload.id}`")
    yield from (f"- not in {' and '.join(missing)}: {', '.join(ids)}." for missing, ids in by_precisions.items())
    never_compiled = [f"`{workload.id}`" for workload in workloads().values() if not workload.compiles]
    yield f"- not compiled, because a compiler cannot capture its step: {', '.join(never_compiled)}."


def main(junit_files: Sequence[Path]) -> None:
    """Write both files."""
    results = read(junit_files)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in results.pop("cases").items())
    head = json.dumps(results)[:-1]
    target = DOCS / "results" / "modes.json"
    target.write_text(f'{head}, "cases": {{\n{lines}\n}}}}\n')
    (DOCS / "modes.md").write_text(document(json.loads(target.read_text())))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main([Path(argument) for argument in sys.argv[1:]])
