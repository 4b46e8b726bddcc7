"""The page docs/modes.md, of the results that `studies/modes.py` reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.workloads.registry import workloads

PRECISIONS = ("fp32", "bf16", "fp16")
SMALL_PRECISIONS = ("fp32", "bf16")

_HEAD = """# Modes and precisions

Written by `python -m studies.modes` from the results of `tox -e modes`; do not edit.

Every workload at size `tiny` in every phase, framework, mode and precision it supports, with finite outputs. In fp32,
the first outputs of each mode agree with those of eager mode (in JAX, of `jit`) within 1e-3 (||a-b||/||b||). In bf16
and fp16, an output or a weight update differs from that in fp32 by at least 1e-6, which shows that something was cast;
the conformance and parity tests check how close half precision is to fp32, and the frameworks to each other.

Training is proved as training:

- **Updates.** After 3 steps at the spec's learning rate, the update of each weight (its change since the start)
  agrees with that of the same framework's eager fp32 (JAX's: `jit`), as ||a-b||/||b|| without the farthest element (a
  sign that few runs turn), within a tolerance derived from the case itself. PyTorch trains in eager fp32 three times
  more (nine in fp32), with each weight, input and result of an operation moved at random by up to one rounding of the
  precision (2^-24 of itself in fp32, 2^-8 in bf16, 2^-11 in fp16): [Monte Carlo
  arithmetic](https://doi.org/10.1109/5992.852391). The largest distance of these runs from the first shows what
  rounding does to this model, where a ReLU may be near its edge and Adam makes an update of either sign from a
  gradient near zero. Other modes and frameworks round more often where PyTorch rounds once, and roundings add up like
  their root. The tolerance is 8 times that distance: TensorFlow on a CPU adds some sums in the half type (gradients
  of biases in bf16, `reduce_sum` in fp16), of about 64 numbers here. In fp32 each number is moved by up to 64
  roundings at once, and the tolerance is the distance: modes add in other orders, up to 4096 numbers, and some ReLU
  is so near its edge that only many roundings turn it. The rounding of the float32 weight itself is added, 2^-24 of
  it in each step.
- A weight whose tolerance is above 1/2 is not compared by itself: rounding decides about its update, as about that of a
  bias before a softmax, which has no gradient. **All updates together**, projected on those of eager fp32
  (`<a,b> / <b,b>`), are between 1/2 and 3/2 of them: a step that never updates has 0, one that updates twice 2.
- In fp16, where the loss is scaled, nine steps at enormous weights come first. They are skipped and leave no trace.
- **Descent.** Over 20 steps on a fixed batch, the loss is finite in each step and falls; at size `small` in fp32 and
  bf16 too, in each framework's default mode. It falls if its rank correlation with the step
  (Kendall's tau) is one that numbers without order have in less than one of 1000 cases, or if it ends below a hundredth
  of its first value.
"""

_FIGURES = ("weights", "compared", "tolerance", "used", "projection")
"""What `Agreement.figures` of tests/support/training_proofs.py gives of a training."""


def document(results: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    cases, small = results["cases"], results.get("small", {})
    tables = [*_table(cases), "", *_small_table(small), "", *_descent_table(small), *_agreement_table(cases)]
    missing = [*_not_passed(supported_cases(), cases), *_not_passed(small_cases(), small)]
    return "\n".join([_HEAD, *_summary(results), "", *tables, *missing, *_unsupported(), ""])


def _summary(results: Mapping[str, Any]) -> Iterator[str]:
    outcomes: dict[str, int] = defaultdict(int)
    tests = [*results["cases"].values(), *results.get("small", {}).values()]
    for case in tests:
        outcomes[case["outcome"]] += 1
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    machine = f"{results['processor']}, {results['cores']:g} cores, Python {results['python']}"
    yield f"{results['finished']}, {machine}, {versions}:"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    pieces = f", in {results['pieces']} pieces" if results.get("pieces", 1) > 1 else ""
    yield f"**{len(tests)} cases, {counts}; {results['wall_s'] / 60:.0f} minutes in all{pieces}.**"
    yield "Times are of a busy machine, with compilation: they say how long this run took, not how fast a mode is."


def supported_cases() -> list[str]:
    """Return the names of all cases that the specs support, as `tests/workloads/every_mode.py` runs them."""
    return [
        f"{workload.id}/{phase}/{framework.name}/{mode}/{precision}"
        for workload in workloads().values()
        for phase in workload.stepped_phases
        for framework in FRAMEWORKS.values()
        for mode, mode_class in framework.modes.items()
        for precision in PRECISIONS
        if mode not in framework.gpu_modes
        and precision in workload.precisions
        and (workload.compiles or mode_class != "compiled")
    ]


def small_cases() -> list[str]:
    """Return the names of the trainings at size small, `workload/framework/precision`."""
    return [
        f"{workload.id}/{framework.name}/{precision}"
        for workload in workloads().values()
        if workload.decreasing_output
        for framework in FRAMEWORKS.values()
        for precision in SMALL_PRECISIONS
        if precision in workload.precisions
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


def _small_table(small: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Return passed and supported trainings at size small, and their time, by framework and precision."""
    yield "| framework, size `small` | " + " | ".join(f"{name}: passed, seconds" for name in SMALL_PRECISIONS) + " |"
    yield "|---|" + "---:|" * len(SMALL_PRECISIONS)
    for framework in FRAMEWORKS.values():
        cells = []
        for precision in SMALL_PRECISIONS:
            names = [name for name in small_cases() if name.endswith(f"/{framework.name}/{precision}")]
            tested = [small[name] for name in names if name in small]
            passed = sum(case["outcome"] == "passed" for case in tested)
            cells.append(f"{passed} of {len(names)}, {sum(case['s'] for case in tested):.0f}")
        yield f"| {framework.title} | {' | '.join(cells)} |"


def _descent_table(small: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Return how far the loss of each workload fell at size small, by framework and precision."""
    columns = [(framework, precision) for framework in FRAMEWORKS.values() for precision in SMALL_PRECISIONS]
    rows = []
    for workload in dict.fromkeys(name.partition("/")[0] for name in small_cases()):
        cases = [small.get(f"{workload}/{framework.name}/{precision}", {}) for framework, precision in columns]
        curves = [case.get("losses") for case in cases]
        if any(curves):
            cells = [f"{1 - curve[-1] / curve[0]:.1%}" if curve else "" for curve in curves]
            rows.append(f"| {workload} | {' | '.join(cells)} |")
    if rows:
        titles = (f"{framework.title}, {precision}" for framework, precision in columns)
        yield f"| fall of the loss in 20 steps at `small` | {' | '.join(titles)} |"
        yield "|---|" + "---:|" * len(columns)
        yield from rows
        yield ""


def _agreement_table(cases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Return how near the updates are to eager fp32's, by precision; nothing if no case tells it."""
    rows = []
    for precision in PRECISIONS:
        ours = (case for name, case in cases.items() if name.endswith(f"/{precision}"))
        seen = [case["training"] for case in ours if "training" in case]
        if not seen:
            continue
        weights, compared, tolerance, used, projection = ([each[name] for each in seen] for name in _FIGURES)
        rows.append(
            f"| {precision} | {len(seen)} | {sum(compared) / sum(weights):.0%} | {median(tolerance):.1e} |"
            f" {max(used):.2f} | {min(projection):.3f} to {max(projection):.3f} |"
        )
    if rows:
        yield "| updates | trainings | weights compared by themselves | tolerance, median |" + (
            " largest distance, in tolerances | all updates, projected |"
        )
        yield "|---|---:|---:|---:|---:|---|"
        yield from rows
        yield ""


def _not_passed(names: Sequence[str], cases: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    missing = sum(name not in cases for name in names)
    if missing:
        yield f"{missing} of {len(names)} cases were not run.\n"
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
