"""The report as plain data: what it says, what it leaves out, and how ratios and thinning come about."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_files import cases, full, later, on_gpu, summarised, trials, ways
from run_files import case, failed_trial, machine, run_file, trace
from scipy import stats

from reports.figures import figures
from reports.figures.base import ticks
from reports.figures.pareto import front
from reports.inert import text
from reports.marks import SHAPES, mark
from reports.model import anonymous, build, power_lines
from reports.model.cases import label
from reports.model.embedded import packed, thinned
from reports.model.pairs import Pair, Ratio
from reports.model.power import CHART_POINTS, MAX_POINTS, extremes
from suite.carbon import ember
from suite.frameworks import FRAMEWORKS
from suite.notices import Code
from suite.results.compare import BETWEEN_RUNS, compare
from suite.results.drift import between_runs
from suite.results.records import ArmSettings, Intensity, Notice, RunFile, Trace, Trial, parse
from suite.results.summary import recompute


def test_what_all_cases_share_is_said_once() -> None:
    report = build([full()])
    assert report.common == ("size small", "cpu", "fp32", "batch 32")
    assert {view.detail for view in report.cases} == {""}
    assert {view.detail for view in build([on_gpu()]).cases} == {"cpu", "cuda:0"}


def test_runs_are_lettered() -> None:
    assert [label(i) for i in (0, 1, 25, 26, 27, 51, 52)] == ["A", "B", "Z", "AA", "AB", "AZ", "BA"]


def test_the_latest_run_of_a_machine_stands_in_the_charts() -> None:
    report = build([later(1, 1.0), later(3, 1.2), later(2, 1.1)])
    assert {view.run for view in report.shown} == {"B"}
    assert len(report.cases) == 18
    assert {view.run for view in build([full(), on_gpu()]).shown} == {"A", "B"}


def of_names(pair: Pair) -> tuple[str, str]:
    return pair.one.case.id, pair.other.case.id


def test_framework_ratios_are_those_of_compare() -> None:
    """The page and `joulemark compare` judge alike: PyTorch over TensorFlow here, B over A there."""
    judged = {(c.pair.b.id, c.pair.a.id, c.metric.key): c for c in compare(full(), full(), "framework").found}
    report = build([full()])
    assert len(report.pairs) == 3
    for pair in report.pairs:
        for key, ratio in (("throughput", pair.throughput), ("energy", pair.energy)):
            expected = judged[*reversed(of_names(pair)), key]
            assert expected.ratio is not None
            assert expected.low is not None
            assert expected.high is not None
            assert ratio.value == pytest.approx(1 / expected.ratio)
            assert (ratio.low, ratio.high) == pytest.approx((1 / expected.high, 1 / expected.low))
        assert pair.throughput.verdict == "more"


def test_a_pair_of_two_trials_has_the_t_interval_of_its_differences() -> None:
    """Too few cases to moderate: Student's t on the rounds' differences, at Holm's levels, from scipy's own."""
    pair, *more = build([summarised(run_file(cases()[:2]))]).pairs
    assert not more
    rates = [
        [t.items / (t.window_s[1] - t.window_s[0]) for t in v.case.trials if t.window_s] for v in (pair.one, pair.other)
    ]
    differences = [math.log(a) - math.log(b) for a, b in zip(*rates, strict=True)]
    assert pair.throughput.value == pytest.approx(math.exp(statistics.fmean(differences)))
    assert pair.throughput.error is not None
    assert pair.throughput.error.value == pytest.approx(stats.sem(differences) ** 2)
    assert pair.throughput.error.degrees == len(differences) - 1


def test_between_runs_drift_comes_on_top() -> None:
    comparison = build([later(1, 1.0), later(2, 2.0)]).comparison
    assert comparison is not None
    assert len(comparison.pairs) == 6
    for pair in comparison.pairs:
        assert pair.throughput.value == pytest.approx(2.0, rel=0.02)  # items are whole numbers
        assert pair.throughput.error is not None
        assert pair.throughput.error.value >= 2 * BETWEEN_RUNS.value
        assert pair.throughput.verdict == "more"


def test_the_drift_is_the_machines_own_where_enough_runs_tell() -> None:
    runs = [later(day, 1 + 0.02 * (day % 3)) for day in range(1, 8)]
    comparison = build(runs).comparison
    assert comparison is not None
    last = [pair for pair in comparison.pairs if pair.one.run == "G"]
    own = between_runs(runs[:6], "throughput")
    assert own is not None
    assert own.value < BETWEEN_RUNS.value
    for pair in last:
        judged = compare(runs[0], runs[6], drift={"throughput": own}, metrics=("throughput",)).found
        expected = next(found.error for found in judged if found.pair.b.id == pair.one.case.id)
        assert expected is not None
        assert pair.throughput.error is not None
        assert pair.throughput.error.value == pytest.approx(expected.value)


def test_estimated_energy_does_not_widen_what_was_measured() -> None:
    estimated = build([summarised(run_file(cases(kind="model")))]).pairs
    alone = compare(
        *[summarised(run_file(cases(kind="model")))] * 2, "framework", metrics=("throughput", "memory", "first-call")
    )
    widths = {c.pair.a.id: c for c in alone.found if c.metric.key == "throughput"}
    for pair in estimated:
        expected = widths[pair.one.case.id]
        assert expected.low is not None
        assert pair.throughput.high == pytest.approx(1 / expected.low)


def test_of_two_machines_nothing_but_the_machine_differs() -> None:
    comparison = build([full(), on_gpu()]).comparison
    assert comparison is not None
    assert {p.one.case.device for p in comparison.pairs} == {"cpu"}
    reasons = [lost.reason for lost in comparison.unmatched]
    assert sum(reason.startswith("run A has it with device cpu instead of cuda:0") for reason in reasons) >= 6
    assert sum(reason.startswith("run A ") for reason in reasons) == 12
    assert sum(reason.startswith("run B ") for reason in reasons) == 1


def test_a_run_given_twice_is_not_held_against_itself() -> None:
    comparison = build([full(), full()]).comparison
    assert comparison is not None
    assert comparison.pairs == ()
    assert [lost.reason for lost in comparison.unmatched] == ["it is run A once more"]


def test_a_case_without_a_result_is_not_comparable() -> None:
    broken = case(trials=[failed_trial()])
    comparison = build([summarised(run_file([case()])), run_file([broken], id="20261102T120000Z-b2c3")]).comparison
    assert comparison is not None
    assert comparison.pairs == ()
    assert "out of memory" in comparison.unmatched[0].reason or "failed" in comparison.unmatched[0].reason


def test_one_trial_has_no_interval_and_a_tie_no_winner() -> None:
    single = build([summarised(run_file(cases(rounds=1)))]).pairs[0].throughput
    assert (single.verdict, single.low) == ("no interval", None)
    tie = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))]
    (pair,) = build([summarised(run_file(tie))]).pairs
    assert pair.throughput.verdict == "same"
    assert pair.throughput.inverse.verdict == "same"


def test_a_turned_ratio_says_the_opposite() -> None:
    ratio = Ratio(2.0, 1.5, 2.5, "more", gain=(0.8, 1.1))
    assert ratio.inverse.verdict == "less"
    assert (ratio.inverse.low, ratio.inverse.high) == pytest.approx((1 / 2.5, 1 / 1.5))
    assert ratio.inverse.inverse.gain == pytest.approx(ratio.gain)
    assert Ratio(None, reason="because").inverse.reason == "because"


def test_an_estimate_is_never_held_against_a_measurement() -> None:
    measured, estimated = case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph")
    guess = case(framework="tensorflow", mode="graph", trials=cases(kind="model")[1].trials)
    (mixed,) = build([summarised(run_file([measured, guess]))]).pairs
    assert mixed.energy.value is None
    assert "estimated" in mixed.energy.reason
    assert mixed.throughput.value is not None
    (same,) = build([summarised(run_file([measured, estimated]))]).pairs
    assert same.energy.value is not None


def test_arms_of_one_run_are_no_frameworks() -> None:
    one = case(trials=trials(100, 50, 8), arm="a")
    other = case(framework="tensorflow", mode="graph", trials=trials(80, 50, 9), arm="b")
    assert build([summarised(run_file([one, other]))]).pairs == ()


def test_arm_b_stands_over_arm_a() -> None:
    arms = {"a": ArmSettings(), "b": ArmSettings(mode="compile")}
    one = case(trials=trials(100, 50, 8), arm="a", id="x+arm=a")
    other = case(mode="compile", trials=trials(130, 50, 9), arm="b", id="x+arm=b")
    file = summarised(run_file([one, other]))
    report = build([file.model_copy(update={"settings": file.settings.model_copy(update={"arms": arms})})])
    (pair,) = report.arms
    assert (pair.one.case.arm, pair.other.case.arm) == ("b", "a")
    assert pair.throughput.value == pytest.approx(1.3, rel=1e-2)
    (figure,) = [found for found in figures(report) if found.id == "arms"]
    assert "arm B ahead in 1 of 1" in figure.finding


def test_unlike_versions_of_a_workload_are_not_paired() -> None:
    other = case(framework="tensorflow", mode="graph", workload_version="ffffffffffff")
    assert build([summarised(run_file([case(), other]))]).pairs == ()
    earlier = summarised(run_file([case()]))
    changed = summarised(run_file([case(workload_version="ffffffffffff")], id="20261102T120000Z-b2c3"))
    comparison = build([earlier, changed]).comparison
    assert comparison is not None
    assert comparison.pairs == ()
    assert "the workload changed" in comparison.unmatched[0].reason


def test_only_differences_of_environment_are_listed() -> None:
    newer = machine(packages={"numpy": "2.5.0"})
    comparison = build([full(), full(id="20261102T120000Z-b2c3", machine=newer)]).comparison
    assert comparison is not None
    assert comparison.differences == (("package numpy", "2.4.6", "2.5.0"),)


def test_the_sentence_says_no_more_than_the_interval() -> None:
    clear = build([full()]).headline.sentences[0]
    assert "PyTorch eager is 1.2" in clear
    assert "times as fast as TensorFlow graph [" in clear
    tie = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))]
    assert "as fast as TensorFlow graph, within 5% (" in build([summarised(run_file(tie))]).headline.sentences[0]
    noisy = [case(trials=apart(100, 0.3)), case(framework="tensorflow", mode="graph", trials=apart(100, -0.3))]
    assert "no difference in speed is shown" in build([summarised(run_file(noisy))]).headline.sentences[0]
    assert re.search(r"is 1\.2\d\d times as fast as TensorFlow graph \[1\.2\d\d, 1\.2\d\d\]", clear)
    single = build([summarised(run_file(cases(rounds=1)))]).headline.sentences[0]
    assert "n=1, no interval" in single
    assert "estimated energy" in build([summarised(run_file(cases(kind="model")))]).headline.sentences[0]
    assert "of runs A and B" in build(ways()["two-frameworks-apart"]).headline.sentences[0]


def of_batches(rates: dict[tuple[str, str], tuple[float, float]]) -> RunFile:
    """Cases by workload and what their id ends with, with the rates of both frameworks."""
    found = []
    for (name, end), pair in rates.items():
        for (framework, mode), rate in zip((("pytorch", "eager"), ("tensorflow", "graph")), pair, strict=True):
            batch = int(end.partition("+")[0])
            id = f"{name}:small/training/{framework}/{mode}/cpu/fp32/b{end}"
            ran = trials(rate, 50.0, 8.0 + 3 * len(found))
            allocator = "default" if "default" in end else "retain"
            found.append(case(name, framework, mode, batch_size=batch, id=id, allocator=allocator, trials=ran))
    return summarised(run_file(found))


def test_each_work_has_one_weight_in_the_headline() -> None:
    """A work at two batch sizes counts as one; one that was also run under other settings without these."""
    by_case = {
        ("a", "8"): (2000.0, 1000.0),
        ("a", "16"): (8000.0, 1000.0),
        ("b", "8"): (1000.0, 1000.0),
        ("b", "8+allocator=default"): (9000.0, 1000.0),
    }
    report = build([of_batches(by_case)])
    assert len(report.pairs) == 4
    (sentence,) = report.headline.sentences
    assert "on geometric average over 2 works, " in sentence
    # sqrt(2 x 8) = 4 for a, 1 for b, and the geometric mean of these is 2.
    assert re.search(r"PyTorch eager is 2\.0\d* times as fast as TensorFlow graph \[", sentence)
    assert "Of 3 pairs of cases, PyTorch eager is faster in 2, and 1 is the same." in sentence


def test_the_headline_says_how_the_pairs_are_split() -> None:
    by_case = {("a", "8"): (2000.0, 1000.0), ("b", "8"): (1000.0, 2000.0), ("c", "8"): (3000.0, 1000.0)}
    (sentence,) = build([of_batches(by_case)]).headline.sentences
    assert sentence.endswith("Of 3 pairs of cases, PyTorch eager is faster in 2, and TensorFlow graph in 1.")
    (single,) = build([summarised(run_file(cases(rounds=1)))]).headline.sentences
    assert "Of 3 pairs" not in single


def test_a_page_says_what_a_later_run_supersedes() -> None:
    """The first run's headline would otherwise hold fewer pairs than on its own page, without a word."""
    assert "left out" not in build([full()]).headline.caveat
    assert "6 cases of run A are left out" in build([full(), later(2, 1.1)]).headline.caveat
    assert "12 cases of runs A and B are left out" in build([later(day, 1.0) for day in (1, 2, 3)]).headline.caveat
    assert "66 cases of 11 runs are left out" in build(ways()["twelve-runs"]).headline.caveat


def apart(rate: float, by: float) -> list[Trial]:
    """Three trials that differ by a third from round to round."""
    made = trials(rate, 50, 8)
    return [t.model_copy(update={"items": round(t.items * (1 + by * (t.round - 2)))}) for t in made]


def test_every_notice_of_a_code_is_said_once_with_all_it_is_about() -> None:
    notices = [Notice.of(Code.HIGH_VARIANCE, value, 0.1) for value in (0.2, 0.9)]
    run = run_file([case(notices=(notices[0],)), case(framework="tensorflow", mode="graph", notices=(notices[1],))])
    (warned,) = build([run]).warnings.notices
    assert "90.0%" in warned.notice.message
    assert len(warned.about) == 2
    assert "20.0%" in warned.about[0]


def test_the_strip_speaks_of_all_cases_and_not_of_the_worst_as_if_it_were_all() -> None:
    """Two trials of one case and one of another are not `2`, with `2 affected`."""
    unsteady = [Notice.of(Code.NOT_STEADY, count) for count in (2.0, 1.0)]
    few = [Notice.of(Code.TOO_SHORT_FOR_SENSOR, value, 50.0) for value in (30.0, 12.0)]
    noisy = Notice.of(Code.NOISY_FLOOR, 0.12, 0.05)
    runs = [
        run_file([case(notices=(unsteady[0], few[0])), case(framework="tensorflow", notices=(unsteady[1], few[1]))]),
        run_file([case()], id="20261102T120000Z-b2c3", notices=(noisy,)),
    ]
    said = {warned.notice.code: (warned.message, warned.affected) for warned in build(runs).warnings.notices}
    assert said[Code.NOT_STEADY] == ("Trials that did not become steady after warm-up: up to 2 a case.", "2 cases")
    assert said[Code.NOISY_FLOOR] == (noisy.message, "1 run")
    assert said[Code.TOO_SHORT_FOR_SENSOR][0].startswith("The window spans only 12 updates")
    notices = [Notice.of(Code.HIGH_VARIANCE, value, 0.1) for value in (0.2, 0.9)]
    run = run_file([case(notices=(notices[0],)), case(framework="tensorflow", notices=(notices[1],))])
    (warned,) = build([run]).warnings.notices
    assert warned.message.startswith("Trials vary by up to 90.0% (")


def test_a_run_that_measured_nothing_is_not_called_complete_or_calm() -> None:
    empty = build([run_file([])])
    assert empty.warnings.verdict == "Nothing was measured. No case was planned. No energy was read."
    assert not empty.warnings.sound
    assert empty.headline.sentences == ("Nothing was measured: no case was planned.",)
    assert build(ways()["all-failed"]).warnings.verdict.startswith(
        "Nothing was measured. 0 of 2 cases measured, 2 failed."
    )


def test_the_pedigree_of_an_intensity_names_its_year_once_and_its_range() -> None:
    used = full().emissions
    world = used.model_copy(update={"intensity": ember.WORLD})
    assert build([recompute(full(), world)]).runs[0].pedigree.count("2024") == 1
    ranged = Intensity(g_per_kwh=90.0, source="given", zone=None, low=60.0, high=120.0)
    pedigree = build([recompute(full(), used.model_copy(update={"intensity": ranged}))]).runs[0].pedigree
    assert "range 60 to 120 g/kWh" in pedigree
    assert "not known" not in pedigree


def test_the_strip_is_only_calm_where_all_is_measured() -> None:
    assert build([summarised(run_file(cases()))]).warnings.sound
    assert not build([summarised(run_file(cases(kind="model")))]).warnings.sound
    assert not build([summarised(run_file(cases(kind="unavailable")))]).warnings.sound
    assert not build([full()]).warnings.sound
    simulated = trace().model_copy(update={"simulated": True})
    report = build([summarised(run_file(cases(), traces=(simulated,)))])
    assert not report.warnings.sound
    assert "simulated" in report.warnings.verdict


def test_a_failed_case_says_what_its_trials_said() -> None:
    (lost,) = build([run_file([case(trials=[failed_trial()])])]).warnings.lost
    assert "out of memory: asked for 9 GiB" in lost.reason


def test_best_is_only_what_lies_beyond_the_others_interval() -> None:
    report = build([full()])
    by_key = {view.key: view for view in report.cases}
    starred = {by_key[key].name for key, column in report.best if column == "throughput"}
    assert starred == {"PyTorch eager"}
    tie = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))]
    assert build([summarised(run_file(tie))]).best == frozenset()
    mixed = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", trials=cases(kind="model")[1].trials)]
    assert "energy_per_item_j" not in {column for _, column in build([summarised(run_file(mixed))]).best}


def test_an_estimate_is_ranked_only_where_that_was_asked_for() -> None:
    estimated = [
        case(trials=trials(100, 50, 8, kind="model")),
        case(framework="tensorflow", mode="graph", trials=trials(50, 50, 9, kind="model")),
    ]
    file = summarised(run_file(estimated))
    assert {column for _, column in build([file]).best} == {"throughput", "step_time_s"}
    asked = file.model_copy(update={"settings": file.settings.model_copy(update={"allow_estimates": True})})
    assert "energy_per_item_j" in {column for _, column in build([asked]).best}


# --- anonymous --------------------------------------------------------------------------------------------------------


def planted(value: object, secret: str) -> object:
    """Every free text of a document with `secret` put into it."""
    if isinstance(value, dict):
        return {key: planted(item, secret) if key not in KEPT else item for key, item in value.items()}
    if isinstance(value, list):
        return [planted(item, secret) for item in value]
    return f"{value} {secret}" if isinstance(value, str) else value


# Closed vocabularies and names of work: they cannot hold a secret.
KEPT = {
    *("status", "kind", "unit", "basis", "signal", "when", "isolation", "compile_cache", "steady", "code", "vendor"),
    *("started_at", "finished_at", "interval_start", "retrieved_at", "fingerprint", "boot_id", "component", "scope"),
    *("workload", "size", "phase", "framework", "mode", "device", "precision", "allocator", "id", "item", "profile"),
    *("workload_version", "variant", "suite_version", "sensor", "reason_code", "settings", "tool", "version"),
}


def test_anonymous_leaves_out_host_user_and_paths_everywhere() -> None:
    secret = "in /home/jane/work/run.py on bench-1 by jane, C:\\Users\\jane\\x and ~/private/y"
    notice = Notice.of(Code.ENVIRONMENT_KEPT, "LD_PRELOAD=/home/jane/lib.so")
    document = planted(json.loads(full(notices=(notice,)).model_dump_json()), secret)
    assert isinstance(document, dict)
    document["machine"]["hostname"] = "bench-1"
    run = RunFile.model_validate(document)
    hidden = anonymous(run).model_dump_json()
    for word in ("jane", "bench-1", "/home", "private", "C:\\\\"):
        assert word not in hidden, word
    assert len(anonymous(run).cases) == len(run.cases)
    report = build([run], anonymous=True)
    assert "jane" not in repr(report)
    assert "bench-1" not in repr(report)


def test_anonymous_keeps_two_hosts_apart() -> None:
    """Their sensors' errors do not cancel, whatever they are called."""
    runs = [full(), full(machine=machine(hostname="bench-2"))]
    runs[1] = runs[1].model_copy(update={"run": runs[1].run.model_copy(update={"id": "another"})})
    named, hidden = (build(runs, anonymous=unnamed).comparison for unnamed in (False, True))
    assert named is not None
    assert hidden is not None
    assert [pair.energy for pair in named.pairs] == [pair.energy for pair in hidden.pairs]
    assert named.pairs[0].energy.gain != (1.0, 1.0)
    assert "bench" not in repr(build(runs, anonymous=True))


def test_anonymous_keeps_the_kernels_paths_ids_units_and_numbers() -> None:
    run = full(machine=machine(hostname="cnn"))
    source = run.traces[0].channels[0].model_copy(update={"source": "/sys/class/powercap/intel-rapl:0, image/s"})
    run = run.model_copy(update={"traces": (run.traces[0].model_copy(update={"channels": (source,)}),)})
    hidden = anonymous(run)
    assert hidden.traces[0].channels[0].source == "/sys/class/powercap/intel-rapl:0, image/s"
    assert [case.id for case in hidden.cases] == [case.id for case in run.cases]
    assert [case.summary for case in hidden.cases] == [case.summary for case in run.cases]
    assert [case.workload for case in hidden.cases] == [case.workload for case in run.cases]


# --- thinning and embedding -------------------------------------------------------------------------------------------


def long_trace(points: int) -> Trace:
    found = trace(points / 10)
    values = tuple(None if 400 < i < 900 else 50.0 + (1000.0 if i == points // 2 else i % 7) for i in range(points + 1))
    watts = found.channels[0].model_copy(update={"unit": "W", "kind": "integrated", "values": values})
    return found.model_copy(update={"channels": (watts,)})


def test_thinning_keeps_peaks_and_gaps() -> None:
    run = run_file(traces=(long_trace(20_000),))
    (line,) = power_lines(run)
    assert len(line.t_s) <= CHART_POINTS
    assert line.samples == 20_001
    assert max(p for p in line.power_w if p is not None) == 1050.0
    assert None in line.power_w
    assert list(line.t_s) == sorted(line.t_s)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=300), st.integers(1, 40).map(lambda n: 2 * n))
def test_extremes_are_few_ordered_and_hold_both_ends(values: list[float | None], limit: int) -> None:
    kept = extremes(values, limit)
    known = [value for value in values if value is not None]
    assert kept == sorted(set(kept))
    assert len(kept) <= max(limit, 0)
    if known:
        found = [values[i] for i in kept if values[i] is not None]
        assert max(found) == max(known)  # type: ignore[type-var]
        assert min(found) == min(known)  # type: ignore[type-var]


def test_the_embedded_run_file_is_a_run_file_and_the_same_bytes() -> None:
    run = full(traces=(long_trace(20_000), trace(500.0)))
    text = gzip.decompress(base64.b64decode(packed(run))).decode()
    taken = parse(text, "the page")
    assert taken == thinned(run)
    assert taken.cases == run.cases
    assert all(len(t.t_s) <= MAX_POINTS for t in taken.traces)
    assert packed(run) == packed(run)
    assert thinned(full()) == full()


# --- small parts ------------------------------------------------------------------------------------------------------


def test_the_front_is_what_nothing_beats() -> None:
    points = [(10.0, 5.0), (20.0, 5.0), (20.0, 4.0), (30.0, 6.0), (5.0, 1.0), (4.0, 2.0)]
    assert {points[i] for i in front(points)} == {(30.0, 6.0), (20.0, 4.0), (5.0, 1.0)}


def test_ticks_are_round_and_within() -> None:
    for low, high in ((-3.0, 5.0), (0.0, 0.2), (2.3, 3.4), (-9.5, -8.0)):
        values, texts = ticks(low, high)
        assert 2 <= len(values) <= 16
        assert len(texts) == len(values)
        assert all(value is not None and low - 1e-9 <= math.log10(value) <= high + 1e-9 for value in values)
    assert ticks(2.9, 4.1)[1] == ["1k", "2k", "5k", "10k"]


def test_text_for_charts_is_inert() -> None:
    assert text("<b>&%{x}\u202e\n") == "&lt;b&gt;&amp;% {x}"
    assert len(text("x" * 10_000)) == 60


def test_every_mode_has_a_mark_of_its_own() -> None:
    marks = [mark(name, mode) for name, known in FRAMEWORKS.items() for mode in known.modes]
    assert len({(m.colour, m.shape) for m in marks}) == len(marks)
    assert {m.shape for m in marks} <= set(SHAPES)
    assert mark("jax", "jit") == mark("jax", "jit")
    assert mark("jax", "jit").colour not in {m.colour for m in marks}
