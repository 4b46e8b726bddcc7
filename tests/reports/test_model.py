"""The report as plain data: what it says, what it leaves out, and how ratios and thinning come about."""

from __future__ import annotations

import base64
import gzip
import json
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_files import cases, full, later, on_gpu, summarised, trials, ways
from run_files import case, failed_trial, machine, run_file, trace
from scipy import stats

from reports.figures.base import ticks
from reports.figures.pareto import front
from reports.inert import text
from reports.marks import SHAPES, mark
from reports.model import anonymous, build, power_lines
from reports.model.cases import label
from reports.model.embedded import packed, thinned
from reports.model.pairs import framework_pairs, overall, ratio
from reports.model.power import MAX_POINTS, extremes
from suite.frameworks import FRAMEWORKS
from suite.notices import Code
from suite.results.records import Notice, RunFile, Trace, parse


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


def test_a_ratio_has_welchs_interval() -> None:
    ones, others = [10.0, 11.0, 10.5, 10.2], [8.0, 8.8, 8.1]
    found = ratio(ones, others)
    logs = [[math.log(x) for x in values] for values in (ones, others)]
    expected = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    assert found.low == pytest.approx(math.exp(expected.low))
    assert found.high == pytest.approx(math.exp(expected.high))
    assert found.value == pytest.approx(statistics.geometric_mean(ones) / statistics.geometric_mean(others))
    assert found.verdict == "more"
    assert found.inverse.verdict == "less"
    assert found.inverse.low == pytest.approx(1 / math.exp(expected.high))


def test_a_ratio_without_samples_has_a_reason_and_one_trial_no_interval() -> None:
    assert ratio([], [1.0]).value is None
    assert ratio([], [1.0]).reason
    assert ratio([2.0], [1.0, 1.1]).verdict == "no interval"
    assert ratio([1.0, 1.1, 0.9], [1.0, 1.05, 0.95]).verdict == "no difference shown"


def test_an_overall_ratio_is_the_geometric_mean_and_covers_what_it_should() -> None:
    parts = [ratio([10.0, 11.0, 10.5], [8.0, 8.8, 8.1]), ratio([1.0, 1.2, 1.1], [2.0, 2.3, 2.1])]
    values = [part.value for part in parts if part.value is not None]
    found = overall(parts)
    assert found.value == pytest.approx(statistics.geometric_mean(values))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert found.high / found.low < parts[0].inverse.inverse.high / parts[0].low * parts[1].high / parts[1].low  # type: ignore[operator]


def test_an_estimate_is_never_held_against_a_measurement() -> None:
    measured, estimated = case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph")
    guess = case(framework="tensorflow", mode="graph", trials=cases(kind="model")[1].trials)
    mixed = framework_pairs(build([summarised(run_file([measured, guess]))]).cases)
    assert mixed[0].energy.value is None
    assert "estimated" in mixed[0].energy.reason
    assert mixed[0].throughput.value is not None
    same = framework_pairs(build([summarised(run_file([measured, estimated]))]).cases)
    assert same[0].energy.value is not None


def test_unlike_versions_of_a_workload_are_not_paired() -> None:
    other = case(framework="tensorflow", mode="graph", workload_version="ffffffffffff")
    assert build([summarised(run_file([case(), other]))]).pairs == ()
    earlier = summarised(run_file([case()]))
    changed = summarised(run_file([case(workload_version="ffffffffffff")], id="20261102T120000Z-b2c3"))
    comparison = build([earlier, changed]).comparison
    assert comparison is not None
    assert comparison.pairs == ()
    assert "the workload has changed" in comparison.unmatched[0].reason


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
    assert "no difference in speed is shown" in build([summarised(run_file(tie))]).headline.sentences[0]
    single = build([summarised(run_file(cases(rounds=1)))]).headline.sentences[0]
    assert "n=1, no interval" in single
    assert "estimated energy" in build([summarised(run_file(cases(kind="model")))]).headline.sentences[0]
    apart = build(ways()["two-frameworks-apart"]).headline.sentences[0]
    assert "of run A and B" in apart


def test_every_notice_of_a_code_is_said_once_with_all_it_is_about() -> None:
    notices = [Notice.of(Code.HIGH_VARIANCE, value, 0.1) for value in (0.2, 0.9)]
    run = run_file([case(notices=(notices[0],)), case(framework="tensorflow", mode="graph", notices=(notices[1],))])
    (warned,) = build([run]).warnings.notices
    assert "90.0%" in warned.notice.message
    assert len(warned.about) == 2
    assert "20.0%" in warned.about[0]


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
    assert len(line.t_s) <= MAX_POINTS
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
