"""The headline: one weight for each task, and no claim beyond an interval."""

from __future__ import annotations

import re

from report_files import cases, full, report_inputs, run_on_day, summarised, trials
from run_files import case, run_file

from joulemark.reports.model import build
from joulemark.suite.records import Case, RunFile, Trial
from joulemark.suite.results.references.kept import load


def sentences(*made: Case) -> tuple[str, ...]:
    return build([summarised(run_file(made))]).headline.sentences


def test_claims_stay_within_the_intervals() -> None:
    (clear,) = build([full()]).headline.sentences
    assert re.search(r"PyTorch eager is 1\.2\d\d times as fast as TensorFlow graph \[1\.2\d\d, 1\.2\d\d\]", clear)
    (tie,) = sentences(
        case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))
    )
    assert "as fast as TensorFlow graph to within 5% (" in tie
    (noisy,) = sentences(
        case(trials=spread_by_round(100, 0.3)),
        case(framework="tensorflow", mode="graph", trials=spread_by_round(100, -0.3)),
    )
    assert "not significantly different" in noisy
    assert "times as fast" not in noisy
    assert "n=1, no interval" in sentences(*cases(rounds=1))[0]
    assert "estimated energy" in sentences(*cases(kind="model"))[0]
    assert "runs A and B" in build(report_inputs()["two-frameworks-apart"]).headline.sentences[0]


def test_one_framework_alone_has_a_speed_and_joules() -> None:
    """docs/gpu.md: ResNet-50 in bf16 trains at 3,980 images/s, at 0.138 J an image, of the GPU alone."""
    speed, count = build([load("h200").runs[1]]).headline.sentences
    assert speed == (
        "In resnet50 training (base, bf16, batch 128) on cuda:0, PyTorch eager processes 3,980 images/s and uses "
        "≥138 mJ per image."
    )
    assert count == "13 cases of PyTorch eager were measured."
    speed, _ = sentences(cases(kind="model")[0])
    assert "uses an estimated ~" in speed
    (count,) = sentences(case("own"), case("other"))
    assert count == "2 cases of PyTorch eager were measured."


def test_like_modes_are_used_if_no_pair_has_both_default_modes() -> None:
    """A run of compile and xla alone has pairs, but the headline once said that no two frameworks share a case."""
    for first, second in (("compile", "xla"), ("eager", "eager")):
        pytorch = case(mode=first, trials=trials(300, 50, 8))
        tensorflow = case(framework="tensorflow", mode=second, trials=trials(200, 50, 9))
        report = build([summarised(run_file([pytorch, tensorflow]))])
        assert len(report.pairs) == 1
        (sentence,) = report.headline.sentences
        assert f"PyTorch {first} is 1.5" in sentence
        assert f"times as fast as TensorFlow {second} [" in sentence
        assert report.headline.caveat == ""


def spread_by_round(rate: float, share: float) -> list[Trial]:
    """Return three trials that differ by `share` from round to round."""
    return [
        trial.model_copy(update={"items": round(trial.items * (1 + share * (trial.round - 2)))})
        for trial in trials(rate, 50, 8)
    ]


def run_with_batches(rates: dict[tuple[str, str], tuple[float, float]]) -> RunFile:
    """Return a run of cases by workload and the end of their id, with the rates of both frameworks."""
    made: list[Case] = []
    for (name, end), pair in rates.items():
        for (framework, mode), rate in zip((("pytorch", "eager"), ("tensorflow", "graph")), pair, strict=True):
            batch = int(end.partition("+")[0])
            id = f"{name}:small/training/{framework}/{mode}/cpu/fp32/b{end}"
            of_case = trials(rate, 50.0, 8.0 + 3 * len(made))
            allocator = "default" if "default" in end else "retain"
            made.append(case(name, framework, mode, batch_size=batch, id=id, allocator=allocator, trials=of_case))
    return summarised(run_file(made))


def test_each_task_has_one_weight() -> None:
    """A task at two batch sizes counts once; one also run under other settings counts without them."""
    rates = {
        ("a", "8"): (2000.0, 1000.0),
        ("a", "16"): (8000.0, 1000.0),
        ("b", "8"): (1000.0, 1000.0),
        ("b", "8+allocator=default"): (9000.0, 1000.0),
    }
    report = build([run_with_batches(rates)])
    assert len(report.pairs) == 4
    (sentence,) = report.headline.sentences
    assert "geometric mean over 2 tasks, " in sentence
    # sqrt(2 x 8) = 4 for a, 1 for b, and the geometric mean of these is 2.
    assert re.search(r"PyTorch eager is 2\.0\d* times as fast as TensorFlow graph \[", sentence)
    assert "Of 3 pairs of cases, PyTorch eager is faster in 2, and 1 is equal." in sentence


def test_headline_counts_the_pairs_by_verdict() -> None:
    rates = {("a", "8"): (2000.0, 1000.0), ("b", "8"): (1000.0, 2000.0), ("c", "8"): (3000.0, 1000.0)}
    (sentence,) = build([run_with_batches(rates)]).headline.sentences
    assert sentence.endswith("Of 3 pairs of cases, PyTorch eager is faster in 2, and TensorFlow graph in 1.")
    assert "Of 3 pairs" not in sentences(*cases(rounds=1))[0]


def test_caveat_names_what_a_later_run_supersedes() -> None:
    """Otherwise the first run's headline would cover fewer pairs than on its own page, without a word."""
    assert "left out" not in build([full()]).headline.caveat
    assert "6 cases of run A are left out" in build([full(), run_on_day(2, 1.1)]).headline.caveat
    three_days = build([run_on_day(day, 1.0) for day in (1, 2, 3)])
    assert "12 cases of runs A and B are left out" in three_days.headline.caveat
    assert "66 cases of 11 runs are left out" in build(report_inputs()["twelve-runs"]).headline.caveat


def three_frameworks(
    rates: tuple[float, float, float], watts: tuple[float, float, float], tasks: str = "ab"
) -> RunFile:
    """Return a run of `tasks` in three frameworks, in items per second and watts."""
    systems = (("pytorch", "eager"), ("tensorflow", "graph"), ("jax", "jit"))
    return summarised(
        run_file(
            [
                case(name, framework, mode, trials=trials(rate, power_w, 8.0))
                for name in tasks
                for (framework, mode), rate, power_w in zip(systems, rates, watts, strict=True)
            ]
        )
    )


def test_of_three_frameworks_one_sentence_says_which_is_ahead_of_both() -> None:
    report = build([three_frameworks((1000.0, 1500.0, 3000.0), (50.0, 20.0, 200.0))])
    (sentence,) = report.headline.sentences
    assert sentence.startswith("On the CPU, in the geometric mean over 2 tasks, JAX jit is the fastest: 2.0")
    assert re.search(r"times as fast as TensorFlow graph and 3\.0\S* \[\S+, \S+\] times as fast as PyTorch", sentence)
    assert "TensorFlow graph uses the least energy per item: " in sentence
    assert len(report.headline.details) == 3
    assert "Of 2 pairs" in report.headline.details[0]


def test_one_task_has_no_mean() -> None:
    report = build([three_frameworks((1000.0, 1500.0, 3000.0), (50.0, 20.0, 200.0), "a")])
    assert report.headline.sentences[0].startswith("On the CPU, JAX jit is the fastest: 2.0")


def test_the_fastest_of_three_is_not_named_where_two_are_alike() -> None:
    report = build([three_frameworks((1000.0, 2000.0, 2010.0), (10.0, 10.0, 10.0))])
    (sentence,) = report.headline.sentences
    assert "is the fastest:" not in sentence
    assert "none is shown to be faster than TensorFlow graph or JAX jit" in sentence
    assert "which uses the least energy per item is not certain" in sentence
