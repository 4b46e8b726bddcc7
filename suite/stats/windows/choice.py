"""The warm-up, window and rounds that detect the smallest change in a given time. Pure.

A trial of window w costs f + w: process, load and warm-up, and the window. Its value has the variance B + W(w): what
differs between processes, and what a longer window averages out. In a given time, the variance of a ratio is
proportional to (B + W(w)) (f + w). With W = S / w, the best window is sqrt(f S / B), the optimum of sampling in two
stages (W. G. Cochran, "Sampling Techniques", 3rd edition, 1977, section 10.6). Noise within a trial is correlated, so
that form of W is not assumed. By the law of total variance, B + W(w) = B + W(L) + (W(w) - W(L)) for a window L > w: the
first two terms are the variance between trials of window L, the last one that of windows w within L. It comes from all
parts of all trials, and what few trials say badly, their variance, moves the best window by its square root only.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from joulemark.suite.stats.detectable_effect import detectable_effect
from joulemark.suite.stats.intervals import standard_deviation, t_quantile
from joulemark.suite.stats.variance import Variance
from joulemark.suite.stats.windows.cuts import CutCase, MeasuredRounds

WINDOWS_S: Final = (0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
"""Windows to choose from, seconds; the shortest has two readings of power at 10 Hz."""
SKIPS_S: Final = (0.0, 0.2, 0.5, 1.0)
"""Additional warm-ups to choose from, seconds."""
BIAS: Final = 0.01
"""A window whose step time certainly differs by more from that of the later steps needs more warm-up: its throughput
could not be compared with that of another window. A fifth of the default threshold."""
BIAS_CONFIDENCE: Final = 0.99
MIN_DIFFERENCES: Final = 12
"""Differences between consecutive trials that a variance needs."""
MAX_ROUNDS: Final = 100
"""More rounds in a comparison detect what drifts, and not what changed."""


@dataclass(frozen=True)
class Choice:
    """One way to spend the time of a comparison."""

    warmup_s: float
    """Shortest warm-up, seconds."""
    window_s: float
    rounds: int
    """Of one analysis."""
    round_s: float
    """What a round of one side takes, seconds."""
    trial_variance: Variance
    """Of a trial's value, log scale, free of what drifts over some rounds."""
    detects: float
    """The slow-down that is called certain 4 times in 5 after all analyses; relative."""


def choose(measured: MeasuredRounds, time_s: float, analyses: int, warmup_s: float) -> list[Choice]:
    """Return the ways to spend `time_s` on a comparison of two sides in `analyses`, the best one first.

    Args:
        measured: Rounds of trials with long windows.
        time_s: Seconds for both sides and all analyses, idle windows included.
        analyses: How often cases may be judged, each time after as many rounds more.
        warmup_s: Shortest warm-up of these trials, seconds.

    Returns:
        Empty where too few trials were measured, their steps get faster or slower throughout the windows, or the time
        is too short for two rounds.
    """
    skip_s = next((skip_s for skip_s in SKIPS_S if not any(_is_biased(case, skip_s) for case in measured.cases)), None)
    between = _variance_between(measured.cases, skip_s or 0.0)
    if skip_s is None or between is None:
        return []
    choices = []
    for window_s in WINDOWS_S:
        round_s = _round_s(measured, skip_s, window_s)
        rounds = 0 if round_s is None else _rounds(measured, time_s, analyses, round_s)
        if round_s is None or rounds < 2:
            continue
        within = fmean(trial.deviation(skip_s, window_s) for case in measured.cases for trial in case.trials)
        variance = replace(between, value=between.value + within)
        detects = detectable_effect(Variance(variance.value, math.inf), rounds * analyses).fires_at
        choices.append(Choice(warmup_s + skip_s, window_s, rounds, round_s, variance, detects))
    return sorted(choices, key=lambda choice: choice.detects)


def rounds_in_turns(
    measured: MeasuredRounds, time_s: float, analyses: int, more_warmup_s: float, window_s: float, turns_s: float
) -> int | None:
    """Return the rounds of each of `analyses` that fit into `time_s` if each trial also takes turns for `turns_s`.

    How well turns see a change depends on their number, and hardly on the windows. None for fewer than two rounds, and
    where these trials are too short to tell.
    """
    round_s = _round_s(measured, more_warmup_s, window_s)
    if round_s is None:
        return None
    rounds = _rounds(measured, time_s, analyses, round_s + turns_s * len(measured.cases))
    return rounds if rounds >= 2 else None


def _round_s(measured: MeasuredRounds, skip_s: float, window_s: float) -> float | None:
    """Return what a round of one side takes, seconds; None if a trial is too short for the window."""
    lengths_s = [_mean_length_s(case, skip_s, window_s) for case in measured.cases]
    known = [length_s for length_s in lengths_s if length_s is not None]
    if len(known) < len(lengths_s):
        return None
    return measured.others_s + math.fsum(known) + math.fsum(case.own_s + skip_s for case in measured.cases)


def _rounds(measured: MeasuredRounds, time_s: float, analyses: int, round_s: float) -> int:
    """Return the rounds of an analysis that fit into the time."""
    return min(int((time_s - measured.idle_s) / (2 * round_s * analyses)), MAX_ROUNDS // analyses)


def _mean_length_s(case: CutCase, skip_s: float, window_s: float) -> float | None:
    """Return the mean length of windows of `window_s`, which end with a block; None if a trial is too short for one."""
    cuts = [cut for trial in case.trials if (cut := trial.cut(skip_s, window_s)) is not None]
    return fmean(cut.length_s for cut in cuts) if len(cuts) == len(case.trials) else None


def _is_biased(case: CutCase, skip_s: float) -> bool:
    """Return whether steps in the shortest window certainly take longer or shorter than the later ones, by BIAS.

    So does a case with a trial that is too short for it.
    """
    cuts = [trial.cut(skip_s, WINDOWS_S[0]) for trial in case.trials]
    differences = [
        cut.log_step_s - trial.settled() for cut, trial in zip(cuts, case.trials, strict=True) if cut is not None
    ]
    if len(differences) < len(cuts):
        return True
    error = standard_deviation(differences) / math.sqrt(len(differences))
    half = error * t_quantile((1 + BIAS_CONFIDENCE) / 2, len(differences) - 1)
    return abs(fmean(differences)) - half > BIAS


def _variance_between(cases: Sequence[CutCase], skip_s: float) -> Variance | None:
    """Return the variance of a trial's log step time, from differences between consecutive trials of a case in a run.

    They are free of slow drift, like the differences within rounds that a comparison turn by turn is made of. J. von
    Neumann, R. H. Kent, H. R. Bellinson and B. I. Hart, "The mean square successive difference", Annals of Mathematical
    Statistics 12, 1941; of n values it has 2 (n - 1)^2 / (3 n - 4) degrees of freedom. None for too few.
    """
    runs = [[trial.after(skip_s) for trial in run] for case in cases for run in case.runs]
    squares = [(b - a) ** 2 / 2 for run in runs for a, b in itertools.pairwise(run)]
    if len(squares) < MIN_DIFFERENCES:
        return None
    return Variance(fmean(squares), math.fsum(2 * (len(run) - 1) ** 2 / (3 * len(run) - 4) for run in runs))
