"""Counts of a step: which of two is more work, what may be compared, and in which words."""

from __future__ import annotations

import pytest
from comparisons import case_with_work, run_of
from run_files import case, machine, work

from joulemark.suite.records import COUNTS, FrameworkInfo, RunFile
from joulemark.suite.stats.pairs import pair_cases
from joulemark.suite.stats.thresholds import Thresholds, parse_thresholds
from joulemark.suite.stats.work_counts.comparison import CountComparison, compare_counts, verdict_of
from joulemark.suite.stats.work_counts.step_counts import step_counts
from joulemark.suite.stats.work_counts.text import change_text, sentence, values_text, work_text

SHOWN = Thresholds({})


def compared(a: RunFile, b: RunFile, thresholds: Thresholds = SHOWN, by: str | None = None) -> list[CountComparison]:
    return list(compare_counts(pair_cases(a, b, by).pairs, thresholds))


def runs(a: float, b: float, key: str = "operators") -> tuple[RunFile, RunFile]:
    """Return two runs of two trials each, which count `a` and `b`."""
    sides = [case_with_work(work(**{key: value}), work(**{key: value})) for value in (a, b)]
    return run_of(sides[0]), run_of(sides[1], id="B")


@pytest.mark.parametrize(
    ("a", "b", "threshold", "verdict"),
    [
        ((412,), (413,), 0.0, "more"),
        ((412,), (411,), 0.0, "less"),
        ((412, 412), (412, 412), 0.0, "same"),
        ((0,), (0,), 0.0, "same"),
        ((0,), (1,), 5.0, "more"),
        ((1,), (0,), 5.0, "less"),
        ((100,), (105,), 0.05, "same"),
        ((100,), (106,), 0.05, "more"),
        # What varies is more only where no trial overlaps, by more than the threshold.
        ((100, 103), (104, 107), 0.01, "in doubt"),
        ((100, 103), (105, 107), 0.01, "more"),
        ((100, 101), (100, 101), 0.01, "same"),
    ],
)
def test_more_less_or_the_same(a: tuple[float, ...], b: tuple[float, ...], threshold: float, verdict: str) -> None:
    assert verdict_of(a, b, threshold) == verdict


def test_a_count_is_what_all_trials_agree_on() -> None:
    trials = [work(operators=412, kernels=3, instructions=1e9), work(operators=412, kernels=4, instructions=1.002e9)]
    counts = step_counts(case_with_work(*trials))
    assert list(counts) == ["operators", "kernels", "instructions"]
    assert counts["operators"].value == 412
    assert (counts["kernels"].value, counts["kernels"].reason) == (None, "its trials disagree: 3 to 4")
    assert counts["instructions"].value == 1.001e9
    assert step_counts(case()) == {}
    assert step_counts(case_with_work(work(cycles="not permitted")))["cycles"].reason == "not permitted"


def test_a_count_is_shown_and_judged_only_where_it_has_a_threshold() -> None:
    (shown,) = compared(*runs(412, 440))
    assert (shown.verdict, shown.changed, shown.threshold) == ("more", True, None)
    (judged,) = compared(*runs(412, 440), parse_thresholds((), options=["operators:0"]))
    assert (judged.verdict, judged.threshold, judged.ratio) == ("more", 0, 440 / 412)
    (within,) = compared(*runs(412, 440), parse_thresholds((), options=["operators:10%"]))
    assert within.verdict == "same"


def test_what_a_mode_does_not_have_is_not_missed_but_what_one_side_lacks_is() -> None:
    thresholds = parse_thresholds((), options=["graph-nodes:0"])
    assert [each.kind.key for each in compared(*runs(412, 412), thresholds)] == ["operators"]
    both = run_of(case_with_work(work(operators=412, graph_nodes=30)))
    _, missing = compared(both, runs(412, 412)[1], thresholds)
    assert (missing.verdict, missing.reason) == ("not comparable", "B: it was not counted")
    assert compared(runs(412, 412)[0], run_of(case(), id="B"), thresholds) == []
    (unknown,) = compared(run_of(case()), run_of(case(), id="B"), thresholds)
    assert unknown.reason == "A: it was not counted"


def with_version(run_file: RunFile, version: str, **fields: object) -> RunFile:
    frameworks = {"pytorch": FrameworkInfo(version=version, python="3.11.7", build="cpu")}
    return run_file.model_copy(update={"machine": machine(frameworks=frameworks, **fields)})


def test_versions_of_a_framework_are_not_compared_exactly() -> None:
    a, b = runs(412, 440)
    old, new = with_version(a, "2.12.0"), with_version(b, "2.13.0")
    (shown,) = compared(old, new)
    assert shown.reason == (
        "versions of pytorch differ (2.12.0 and 2.13.0), and so may their counts: give a threshold above 0"
    )
    assert compared(old, new, parse_thresholds((), options=["operators:5%"]))[0].verdict == "more"
    assert compared(old, new, parse_thresholds((), options=["operators:10%"]))[0].verdict == "same"


def test_any_machine_may_count_but_for_what_libraries_choose_by_the_processor() -> None:
    for key, verdict in (("operators", "more"), ("allocated_bytes", "not comparable")):
        a, b = runs(412, 440, key)
        elsewhere = b.model_copy(update={"machine": machine(fingerprint="ffeeddccbbaa", hostname="bench-2")})
        (count,) = compared(a, elsewhere)
        assert count.pair.incomparable is not None
        assert count.verdict == verdict


@pytest.mark.parametrize("fields", [{"mode": "compile"}, {"precision": "bf16"}, {"batch_size": 64}])
def test_another_program_is_not_compared(fields: dict[str, object]) -> None:
    own = {"id": "cnn:small/other", **fields}
    pair = run_of(case_with_work(work(operators=412)), case_with_work(work(operators=440), **own))
    by = next(iter(fields)).replace("_", "-")
    assert compared(pair, pair, by=by) == []
    (judged,) = compared(pair, pair, parse_thresholds((), options=["operators:0"]), by=by)
    assert judged.reason == f"another {by.replace('-', ' ')} is another program"


def test_another_version_of_the_workload_is_not_compared() -> None:
    a, b = runs(412, 440)
    changed = b.model_copy(update={"cases": tuple(c.model_copy(update={"workload_version": "ffff"}) for c in b.cases)})
    assert compared(a, changed) == []


def test_words() -> None:
    operators, memory = (compared(*runs(*pair))[0] for pair in ((412, 440, "operators"), (2.1e8, 2.32e8, "peak_bytes")))
    assert change_text(operators) == "operators 412 -> 440"
    assert change_text(memory) == "peak of allocations 210 -> 232 MB"
    assert work_text([operators, memory]) == "operators 412 -> 440, peak of allocations 210 -> 232 MB a step"
    assert sentence(operators) == "operators grew from 412 to 440 a step"
    (same,) = compared(*runs(412, 412))
    assert (sentence(same), work_text([same])) == ("", "a step does the same work (operators)")
    assert work_text([]) == ""
    # Different numbers never look alike.
    assert values_text(COUNTS["allocated_bytes"], [2.1e8, 2.1e8 + 64]) == ["210.0000 MB", "210.0001 MB"]
    assert values_text(COUNTS["operators"], [1234, None]) == ["1,234", ""]


def test_what_no_machine_shows_is_mentioned_only_where_it_is_judged() -> None:
    a, b = (run_of(case_with_work(work(operators=412, cycles="not permitted")), id=id) for id in ("A", "B"))
    assert [each.kind.key for each in compared(a, b)] == ["operators"]
    _, cycles = compared(a, b, parse_thresholds((), options=["cycles:1%"]))
    assert (cycles.verdict, cycles.reason) == ("not comparable", "A: not permitted")


def test_trials_that_disagree_are_judged_by_a_threshold_above_0_alone() -> None:
    sides = [[work(kernels=n) for n in counts] for counts in ((100, 103), (120, 121))]
    a, b = (run_of(case_with_work(*works), id=id) for id, works in zip("AB", sides, strict=True))
    (exact,) = compared(a, b, parse_thresholds((), options=["kernels:0"]))
    assert (exact.verdict, exact.reason) == ("not comparable", "A: its trials disagree: 100 to 103")
    (within,) = compared(a, b, parse_thresholds((), options=["kernels:10%"]))
    assert (within.verdict, within.values) == ("more", (101.5, 120.5))
    assert compared(a, b, parse_thresholds((), options=["kernels:20%"]))[0].verdict == "in doubt"


def test_what_varies_by_itself_is_shown_only_from_a_difference_that_matters() -> None:
    assert [compared(*runs(1e9, n, "instructions"))[0].verdict for n in (1.002e9, 1.04e9, 1.06e9)] == [
        "same", "same", "more"
    ]  # fmt: skip
