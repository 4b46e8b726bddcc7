"""The headline: one weight a work, no more said than an interval allows."""

from __future__ import annotations

import re

from report_files import cases, full, later, summarised, trials, ways
from run_files import case, run_file

from joulemark.reports.model import build
from joulemark.suite.records import RunFile, Trial


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


def test_without_a_pair_of_default_modes_the_headline_takes_what_is_alike() -> None:
    """A run of compile and xla alone has pairs, and said that no two frameworks share a case."""
    for one, other in (("compile", "xla"), ("eager", "eager")):
        ran = [
            case(mode=one, trials=trials(300, 50, 8)),
            case(framework="tensorflow", mode=other, trials=trials(200, 50, 9)),
        ]
        report = build([summarised(run_file(ran))])
        assert len(report.pairs) == 1
        (sentence,) = report.headline.sentences
        assert f"PyTorch {one} is 1.5" in sentence
        assert f"times as fast as TensorFlow {other} [" in sentence
        assert report.headline.caveat == ""


def apart(rate: float, by: float) -> list[Trial]:
    """Three trials that differ by a third from round to round."""
    made = trials(rate, 50, 8)
    return [t.model_copy(update={"items": round(t.items * (1 + by * (t.round - 2)))}) for t in made]


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
