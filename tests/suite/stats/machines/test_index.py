"""The index against a closed form, a second implementation and simulated runs; and when there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from run_files import case, energy, run_file, trial
from scipy import stats

from joulemark.suite.records import Case, Kind, RunFile
from joulemark.suite.stats.drift import assumed_drift
from joulemark.suite.stats.machines import text
from joulemark.suite.stats.machines.baskets import BASKETS
from joulemark.suite.stats.machines.index import indices, log_ratio
from joulemark.suite.stats.variance import Variance

BASKET = BASKETS[0]


def runs(
    factors: list[float], id: str, rounds: int = 3, kind: Kind = "counter", gain: float = 0.02, **fields: object
) -> RunFile:
    """Return a run of the basket: case i at `factors[i]` times 1,000 items/s, 50 J in a window of 2 s."""
    cases = []
    for i, ((workload, phase), factor) in enumerate(zip(BASKET.tasks, factors, strict=False)):
        trials = [
            trial(
                n + 1, 1000 * factor * (1 + 0.01 * math.sin(7 * n + i)), readings=[energy(50.0, kind=kind, gain=gain)]
            )
            for n in range(rounds)
        ]
        cases.append(case(workload, phase=phase, trials=trials, **fields))
    return run_file(cases, id=id)


def logs_by_round(run: RunFile, of: str = "throughput") -> np.ndarray:
    """Return log items a second, or log items a joule, by case and round, computed from the windows."""
    rates = [[t.items / (t.window_length_s if of == "throughput" else 50.0) for t in c.trials] for c in run.cases]
    return np.log(np.array(rates))


def test_value_is_the_geometric_mean_of_the_ratios_and_the_interval_welch_with_drift() -> None:
    reference, run = runs([1, 1, 1, 1], "a", rounds=5), runs([2.0, 0.5, 3.0, 1.2], "b")
    speed, joules = indices(reference, run)
    a, b = logs_by_round(reference).mean(axis=0), logs_by_round(run).mean(axis=0)
    assert speed.value == pytest.approx(math.exp(b.mean() - a.mean()), rel=1e-12)
    assert speed.value == pytest.approx((2.0 * 0.5 * 3.0 * 1.2) ** 0.25, rel=0.02)  # rates vary by 1 %
    # By hand: Welch's t with Satterthwaite's degrees, and twice the drift of a run, which no number of cases divides.
    pooled = (a.var(ddof=1) * 4 + b.var(ddof=1) * 2) / 6
    drift = assumed_drift(Variance(float(pooled), 6.0))
    parts = np.array([a.var(ddof=1) / 5, b.var(ddof=1) / 3, 2 * drift.value])
    degrees = parts.sum() ** 2 / (parts**2 / np.array([4, 2, drift.degrees])).sum()
    half = stats.t.ppf(0.975, degrees) * math.sqrt(parts.sum())
    assert (speed.low, speed.high) == pytest.approx((speed.value * math.exp(-half), speed.value * math.exp(half)))
    # Sensors of +-2 % on both sides widen the ends by their whole range, since all cases share it.
    ja, jb = (logs_by_round(file, "energy").mean(axis=0) for file in (reference, run))
    assert joules.value == pytest.approx(math.exp(jb.mean() - ja.mean()))
    assert (joules.low, joules.high) == pytest.approx((speed.low * 0.98 / 1.02, speed.high * 1.02 / 0.98), rel=1e-6)
    assert [part.ratio for part in speed.parts] == pytest.approx([2.0, 0.5, 3.0, 1.2], rel=0.02)


def test_sensors_of_any_number_of_cases_widen_by_the_same() -> None:
    wide, narrow = (indices(runs([1] * 4, "a", gain=g), runs([1] * 4, "b", gain=g))[1] for g in (0.2, 0.0))
    assert wide.high / narrow.high == pytest.approx(1.2 / 0.8)


def test_index_against_itself_is_one_and_the_other_way_round_its_inverse() -> None:
    a, b = runs([1, 2, 3, 4], "a"), runs([3, 1, 1, 5], "b", rounds=4)
    assert indices(a, a)[0].value == pytest.approx(1.0, abs=1e-12)
    there, back = indices(a, b)[0], indices(b, a)[0]
    assert (there.value, there.low) == pytest.approx((1 / back.value, 1 / back.high))


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_intervals_cover_the_truth_in_simulated_runs(spread: float) -> None:
    """Runs that drift by 5 % about their machine's mean, rounds that slow all cases alike, and trials on their own."""
    generator = np.random.default_rng(20261130)
    covered, n, truth = 0, 400, math.log(1.7)
    for _ in range(n):
        sides = []
        for offset in (0.0, truth):
            values = offset + generator.normal(0, 0.05) + generator.normal(0, spread, (1, 3))
            values = values + generator.normal(0, 0.02, (4, 3))
            sides.append([dict(enumerate(row)) for row in values])
        effect, _ = log_ratio(*sides)
        low, high = effect.interval(0.05)
        covered += low <= truth <= high
    # Three standard errors of a share of 95 % in 400 below it.
    assert covered / n >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / n)


def refusal(reference: RunFile, run: RunFile, which: int) -> str:
    index = indices(reference, run)[which]
    assert index.value is None
    return index.reason


def test_there_is_no_index_of_a_part_of_the_basket() -> None:
    whole, part = runs([1] * 4, "a"), runs([1] * 3, "b")
    for which in (0, 1):
        assert refusal(whole, part, which) == "not measured on both: ddpm generation"
    assert refusal(run_file([case()]), whole, 0) == "the reference has none of these cases"


def test_modelled_energy_and_unlike_scopes_have_no_index_but_speed_has() -> None:
    measured, modelled = runs([1] * 4, "a"), runs([1] * 4, "b", kind="model")
    assert refusal(measured, modelled, 1) == "this run's energy is estimated, not measured"
    assert refusal(modelled, measured, 1) == "the reference's energy is estimated, not measured"
    assert refusal(modelled, modelled, 1) == "the energy of both is estimated, not measured"
    assert indices(measured, modelled)[0].value == pytest.approx(1.0)

    def without_memory(kept: Case) -> Case:
        trials = [t.model_copy(update={"energy": (*t.energy, energy(None, "dram"))}) for t in kept.trials]
        return kept.model_copy(update={"trials": tuple(trials)})

    bound = run_file([without_memory(kept) for kept in measured.cases], id="c")
    with_memory = run_file(
        [
            kept.model_copy(
                update={
                    "trials": tuple(
                        t.model_copy(update={"energy": (*t.energy, energy(5.0, "dram"))}) for t in kept.trials
                    )
                }
            )
            for kept in measured.cases
        ],
        id="d",
    )
    assert refusal(bound, with_memory, 1).startswith("different components were measured: ")  # said once, of all cases
    assert indices(bound, bound)[1].value == pytest.approx(1.0)  # lower bounds of one scope


def test_hopelessly_few_rounds_still_have_numbers() -> None:
    """Rounds that differ by factors of e^300: the ends stay within what is a number."""
    rounds = [[{1: 0.0, 2: 300.0}] * 4, [{1: 300.0, 2: 0.0}] * 4]
    effect, _ = log_ratio(*rounds)
    assert effect.interval(0.05)[1] > 709
    wild = [trial(1, 1.0, length_s=1.0), trial(2, 1e6, length_s=1e-5)]
    files = [run_file([case(w, phase=p, trials=wild) for w, p in BASKET.tasks], id=id) for id in ("a", "b")]
    speed, _ = indices(*files)
    assert 0 < speed.low < 1 < speed.high < math.inf


def test_one_trial_gives_a_value_without_interval() -> None:
    speed, _ = indices(runs([1] * 4, "a", rounds=1), runs([2] * 4, "b"))
    assert speed.value == pytest.approx(2.0, rel=0.02)
    assert (speed.low, speed.high, speed.reason) == (None, None, "n=1 in the reference, no interval")


def test_cases_with_settings_of_their_own_and_other_modes_are_in_no_index() -> None:
    whole = runs([1] * 4, "a")
    odd = runs([9] * 4, "b", mode="compile")
    assert indices(whole, odd) == ()


def test_index_in_words_names_the_system_and_what_is_missing() -> None:
    pair = indices(runs([1] * 4, "a", kind="model"), runs([0.02] * 4, "b", kind="model"))
    (sentence,) = text.sentences([pair], "Test machine", lambda name: {"pytorch": "PyTorch"}[name])
    assert sentence.startswith("Against Test machine, PyTorch eager: 1/50")
    assert "times as fast, the geometric mean over 4 tasks (small, fp32)" in sentence
    assert sentence.endswith("(no index of items per joule: the energy of both is estimated, not measured).")
    document = text.document(pair[0])
    assert (document["basket"], len(document["parts"]), document["reason"]) == ("small-fp32.1", 4, None)


def test_frameworks_that_the_reference_lacks_share_a_sentence() -> None:
    """A run in three frameworks beside a machine that was measured in one."""
    modes = (("pytorch", "eager"), ("tensorflow", "graph"), ("jax", "jit"))
    each = [runs([1] * 4, "b", framework=framework, mode=mode) for framework, mode in modes]
    run = run_file([case for one in each for case in one.cases], id="b")
    lines = text.sentences(text.grouped(indices(runs([1] * 4, "a"), run)), "Test machine", str.title)
    assert len(lines) == 2
    assert lines[1] == (
        "Against Test machine, Tensorflow graph and Jax jit: no index over 4 tasks (small, fp32): the reference has "
        "none of these cases."
    )
