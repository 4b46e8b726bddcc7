"""An A/B run that is looked at more than once: who goes on, and how often that alarms falsely."""

from __future__ import annotations

import math

import numpy as np
import pytest
from run_files import case, run_file, trial

from joulemark.suite.records import ArmRecord, ArmSettings, Case, FrameworkInfo, RunFile, Settings
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import ComparisonResult
from joulemark.suite.stats.interim_analysis import first_rounds, undecided
from joulemark.suite.stats.sequential import analysis_levels
from joulemark.suite.stats.variance import Effect, Variance, holm

ROUNDS = 5


def arm(name: str, logs: list[float], workload: str = "w0", **more: object) -> Case:
    """A case of an arm whose trials have rates of 1000 exp(log), by round."""
    trials = [
        trial(number, 1e6 * math.exp(log), start_s=10.0 * number, readings=[]) for number, log in enumerate(logs, 1)
    ]
    found = case(workload=workload, trials=trials, arm=name, **more)
    return found.model_copy(update={"id": f"{found.id}+arm={name}"})


def run(cases: list[Case], most: int | None, **more: object) -> RunFile:
    file = run_file(cases, settings=Settings(arms={"a": ArmSettings(), "b": ArmSettings()}), **more)
    return file.model_copy(update={"run": file.run.model_copy(update={"rounds": ROUNDS, "max_rounds": most})})


def judged(file: RunFile) -> ComparisonResult:
    return compare(file, file, by="arm", metrics=["throughput"])


def goes_on(random: np.random.Generator, pairs: int, most: int, told: bool) -> ComparisonResult:
    """What a noisy A/B run of equal arms ends with, going on in doubt; `told`: its levels know of the looks."""
    noise = 0.1 * random.standard_normal((2, pairs, most))
    counts = [ROUNDS] * pairs
    while True:
        cases = [
            arm(name, noise[side, i, :count].tolist(), f"w{i}")
            for i, count in enumerate(counts)
            for side, name in enumerate("ab")
        ]
        found = judged(run(cases, most if told else None))
        left = {name.partition(":")[0] for name in undecided(found)}
        more = [count + ROUNDS if f"w{i}" in left else count for i, count in enumerate(counts)]
        if more == counts or max(more) > most:
            return found
        counts = more


def test_partners_are_compared_and_what_differs_between_their_arms_is_said() -> None:
    torch = {"pytorch": FrameworkInfo(version="2.13", python="3.11", build="cpu")}
    one = ArmRecord(
        interpreter="/a/python", python="3.11.7", suite_version="1.0", frameworks=torch, packages={"numpy": "2"}
    )
    newer = {"pytorch": torch["pytorch"].model_copy(update={"version": "2.14"})}
    other = one.model_copy(update={"interpreter": "/b/python", "frameworks": newer, "environment": {"X": "1"}})
    file = run([arm("a", [0.0] * 5), arm("b", [0.1] * 5)], None).model_copy(update={"arms": {"a": one, "b": other}})
    found = judged(file)
    (one_found,) = found.comparisons
    assert (one_found.pair.a.arm, one_found.pair.b.arm) == ("a", "b")
    assert one_found.ratio == pytest.approx(math.exp(0.1), rel=1e-5)
    assert found.environment == {"pytorch": ("2.13 (cpu)", "2.14 (cpu)")}


def test_what_the_arms_set_may_differ_and_nothing_else() -> None:
    cases = [
        arm("a", [0.0] * 5, threads=1),
        arm("b", [0.1] * 5, threads=2),
        arm("a", [0.0] * 5, workload="w1", threads=1, batch_size=1),
        arm("b", [0.1] * 5, workload="w1", threads=2, batch_size=2),
    ]
    file = run(cases, None)
    assert judged(file).comparisons == ()
    arms = {"a": ArmSettings(threads=1), "b": ArmSettings(threads=2)}
    file = file.model_copy(update={"settings": Settings(arms=arms)})
    assert [one.pair.a.workload for one in judged(file).comparisons] == ["w0"]


def test_a_workload_that_changed_from_arm_to_arm_is_compared_and_said() -> None:
    file = run([arm("a", [0.0] * 5), arm("b", [0.1] * 5, workload_version="ffffffffffff")], None)
    (found,) = judged(file).comparisons
    assert found.verdict == "better"
    assert found.reason == "the workload itself changed (version 0123456789ab and ffffffffffff)"


def test_a_pair_is_judged_at_the_level_of_its_own_look() -> None:
    logs = [0.01, -0.01, 0.02, -0.02, 0.0] * 3
    zeros = [0.0] * 15
    for count, look in ((5, 1), (7, 1), (10, 2), (15, 3)):
        file = run([arm("a", zeros[:count]), arm("b", logs[:count])], 15)
        (found,) = judged(file).comparisons
        values = np.array(logs[:count])
        # By hand: the interval of a mean of differences, at the level of this look.
        from scipy.stats import t

        level = analysis_levels(3, 0.05)[look - 1]
        half = t.ppf(1 - level / 2, count - 1) * values.std(ddof=1) / math.sqrt(count)
        assert math.log(found.low) == pytest.approx(values.mean() - half, abs=2e-6)
        assert math.log(found.high) == pytest.approx(values.mean() + half, abs=2e-6)


def test_holm_over_looks_gives_what_is_left_the_share_of_what_is_rejected() -> None:
    effects = [
        Effect(3.0, Variance(1.0, math.inf)),
        Effect(2.3, Variance(1.0, math.inf)),
        Effect(0.1, Variance(1.0, math.inf)),
    ]
    at = [lambda alpha, look=look: analysis_levels(2, alpha)[look] for look in (0, 1, 0)]
    found = holm(effects, nominal=at)
    # 3.0 has p 0.0027, below a third of 5 % at its look; 2.3 has p 0.021: not below a half at its look.
    expected = [analysis_levels(2, 0.05 / 3)[0], analysis_levels(2, 0.05 / 2)[1], analysis_levels(2, 0.05 / 2)[0]]
    for effect, interval, level in zip(effects, found, expected, strict=True):
        assert interval == pytest.approx(effect.interval(level))
    assert found[0][0] > 0 > found[1][0]


def test_undecided_are_both_sides_of_a_pair_in_doubt_and_no_others() -> None:
    doubt = [0.1, -0.1, 0.2, -0.2, 0.0]
    cases = [
        arm(name, [0.0] * 5 if name == "a" else logs, w)
        for w, logs in (("w0", [0.5] * 5), ("w1", doubt))
        for name in "ab"
    ]
    left = undecided(judged(run(cases, None)))
    assert left == {case_.id for case_ in cases if case_.workload == "w1"}
    one_round = [arm(name, [0.0]) for name in "ab"]
    assert undecided(judged(run(one_round, None))) == {case_.id for case_ in one_round}, "n=1 decides nothing"


def test_up_to_is_the_run_as_it_was() -> None:
    file = run([arm("a", [0.0] * 15), arm("b", [0.1] * 10)], 15)
    assert [len(case_.trials) for case_ in first_rounds(file, 5).cases] == [5, 5]
    assert first_rounds(file, 15) == file


def test_going_on_in_doubt_raises_few_false_alarms_and_without_its_levels_it_raises_many() -> None:
    def false(told: bool) -> int:
        random = np.random.default_rng(8)
        found = [goes_on(random, pairs=2, most=5 * ROUNDS, told=told) for _ in range(100)]
        return sum(any(one.verdict in ("better", "worse") for one in each.comparisons) for each in found)

    # At 5 % in all, more than 10 of 100 has a probability of 1 % (binomial).
    assert false(told=True) <= 10
    assert false(told=False) > 10
