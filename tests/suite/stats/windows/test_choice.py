"""The choice of window and rounds on simulated machines, whose best one is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from joulemark.suite.stats.windows.choice import Choice, choose, rounds_in_turns
from joulemark.suite.stats.windows.cuts import CutCase, CutTrial, MeasuredRounds

BLOCK_S = 0.02
OWN_S, OTHERS_S, IDLE_S, CASES = 1.0, 1.2, 10.0, 3
TIME_S = 600.0


def machine(
    random: np.random.Generator, between: float, within: float, start: float = 0.0, window_s: float = 3.0
) -> MeasuredRounds:
    """Return 5 runs of 5 rounds. A trial's mean over w seconds has the variance `between` + `within` / w, log scale.

    Steps begin slower by the share `start`, which decays in 0.1 s. Runs differ by 5 %.
    """
    count = round(window_s / BLOCK_S)
    decay = 1 + start * np.exp(-BLOCK_S / 0.1 * np.arange(count))
    cases = []
    for name in range(CASES):
        runs = []
        for _ in range(5):
            speed = math.exp(random.normal(0, 0.05))
            trials = speed * np.exp(random.normal(0, math.sqrt(between), (5, 1)))
            noise = 1 + random.normal(0, math.sqrt(within / BLOCK_S), (5, count))
            blocks = BLOCK_S * trials * np.maximum(noise, 0.05) * decay
            runs.append(tuple(CutTrial(tuple(row.tolist()), 1, OWN_S) for row in blocks))
        cases.append(CutCase(f"case{name}", 1, tuple(runs)))
    return MeasuredRounds(tuple(cases), OTHERS_S, IDLE_S)


def error(window_s: float, between: float, within: float) -> float:
    """Return the standard error of a ratio in a given time, but for a factor that no choice changes."""
    return math.sqrt((between + within / window_s) * (OTHERS_S / CASES + OWN_S + window_s))


@pytest.mark.parametrize("best_s", [0.35, 0.8])
def test_the_choice_loses_little_against_the_closed_form(best_s: float) -> None:
    """Cochran 1977, section 10.6: the best window is sqrt(f S / B)."""
    between = 0.02**2
    within = best_s**2 * between / (OTHERS_S / CASES + OWN_S)
    assert error(best_s, between, within) == min(
        error(window_s, between, within) for window_s in (best_s, 0.99 * best_s, 1.01 * best_s)
    )
    random = np.random.default_rng(8)
    losses = [
        error(best.window_s, between, within) / error(best_s, between, within) - 1
        for best in (choose(machine(random, between, within), TIME_S, 2, 0.3)[0] for _ in range(120))
    ]
    assert np.mean(np.array(losses) <= 0.05) >= 0.95, sorted(losses)[-5:]


def test_rounds_fill_the_time_and_the_detected_change_is_that_of_simulated_comparisons() -> None:
    between, within = 0.02**2, 0.0
    best = choose(machine(np.random.default_rng(1), between, within), TIME_S, 2, 0.3)[0]
    assert (best.warmup_s, best.window_s) == (0.3, 0.2)  # nothing is gained by a longer one
    round_s = OTHERS_S + CASES * (OWN_S + 0.2)
    assert best.round_s == pytest.approx(round_s, rel=0.02)  # whole blocks
    assert best.rounds == int((TIME_S - IDLE_S) / (4 * best.round_s))
    n = 2 * best.rounds
    deviation = math.sqrt(2 * best.trial_variance.value)
    ratios = np.random.default_rng(2).normal(math.log1p(best.detects), deviation, (20_000, n))
    low = ratios.mean(axis=1) - stats.t.ppf(0.99, n - 1) * stats.sem(ratios, axis=1)
    assert np.mean(low > 0) == pytest.approx(0.8, abs=0.012)  # four standard errors


def test_rounds_with_turns_fill_the_time() -> None:
    rounds = machine(np.random.default_rng(1), 1e-4, 1e-6)
    count = rounds_in_turns(rounds, TIME_S, 2, 0.2, 0.5, turns_s=0.5)
    round_s = OTHERS_S + CASES * (OWN_S + 0.2 + 0.5 + 0.5)
    assert count == int((TIME_S - IDLE_S) / (4 * round_s))
    assert rounds_in_turns(rounds, TIME_S, 2, 0.0, 5.0, 0.5) is None  # windows of 3 s were measured
    assert rounds_in_turns(rounds, 20.0, 2, 0.0, 0.5, 0.5) is None


def test_drift_from_run_to_run_does_not_count() -> None:
    random = np.random.default_rng(3)
    variances = [choose(machine(random, 1e-4, 0.0), TIME_S, 2, 0.3)[0].trial_variance for _ in range(20)]
    error = math.sqrt(2 / sum(variance.degrees for variance in variances))
    assert np.mean([variance.value for variance in variances]) == pytest.approx(1e-4, rel=4 * error)


def test_steps_that_begin_slowly_get_more_warm_up() -> None:
    """40 % slower at first: the mean of 0.2 s after 0.2 s is 2.3 % above that of later ones, and after 0.5 s 0.1 %."""

    def warmups(start: float) -> set[float]:
        choices = choose(machine(np.random.default_rng(4), 1e-4, 1e-5, start), TIME_S, 2, 0.3)
        return {round(choice.warmup_s, 3) for choice in choices}

    assert warmups(0.0) == {0.3}
    assert warmups(0.4) == {0.8}
    # Without end: no window stands for another one.
    rising = tuple(CutTrial(tuple(BLOCK_S * 1.002**i for i in range(100)), 1, OWN_S) for _ in range(20))
    assert choose(MeasuredRounds((CutCase("case", 1, (rising,)),), OTHERS_S, IDLE_S), TIME_S, 2, 0.3) == []


def test_nothing_is_chosen_from_too_few_trials_or_in_too_short_a_time() -> None:
    rounds = machine(np.random.default_rng(5), 1e-4, 1e-5)
    few = MeasuredRounds(tuple(CutCase(c.id, 1, c.runs[:1]) for c in rounds.cases[:2]), OTHERS_S, IDLE_S)
    assert choose(few, TIME_S, 2, 0.3) == []
    assert choose(rounds, 20.0, 2, 0.3) == []
    assert isinstance(choose(rounds, 60.0, 2, 0.3)[0], Choice)


def test_a_window_is_cut_where_a_trial_of_that_length_would_have_ended() -> None:
    trial = CutTrial((0.1, 0.2, 0.1, 0.1, 0.1, 0.3, 0.1, 0.1), 2, 0.5)
    cut = trial.cut(0.0, 0.55)
    assert cut is not None
    assert cut.length_s == pytest.approx(0.6)
    assert math.exp(cut.log_step_s) == pytest.approx(0.06)
    shifted = trial.cut(0.25, 0.2)  # after two blocks; five at least
    assert shifted is not None
    assert shifted.length_s == pytest.approx(0.7)
    assert trial.cut(0.0, 1.2) is None
    assert trial.cut(2.0, 0.1) is None
