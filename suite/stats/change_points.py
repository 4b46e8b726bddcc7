"""Change points of a history: where the level of a noisy series changed for good. Pure.

Seeded binary segmentation (Kovács, Bühlmann, Li and Munk, Biometrika 110, 2023): the CUSUM statistic of a change in
mean is computed over a fixed set of intervals, long and short, so a change that is undone a few runs later is not lost
in one mean over everything. Its maximum is compared with the maxima of permuted series. That test is exact for any
distribution whose order carries no information, however heavy its tails: a flat history raises a change point in
`LEVEL` of cases. Where there is one, both sides are searched in turn. Single outliers are clipped first (Hampel's
identifier, Pearson 2002), in the permuted series too, which preserves the level.

What the level does not cover: a machine whose state drifts slowly makes neighbouring runs alike without any change
point. docs/history.md shows by how much that raises false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from joulemark.suite.stats.variance import Effect, Variance, sum_of_variances

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
LEVEL: Final = 0.005
"""Share of flat histories that raise a change point. Half of the 1 % that is promised: machines drift a little from run
to run, which the permutations do not know."""
MIN_SEGMENT: Final = 3
"""Runs on each side of a change point: fewer cannot be told from single outliers."""
MAX_RUNS: Final = 500
"""The latest runs that are searched; earlier ones are left out."""
PERMUTATIONS: Final = 999
_BATCH: Final = 111
_DECAY: Final = math.sqrt(0.5)
"""Ratio of the interval lengths of two successive layers, as recommended in the paper."""
_OUTLIER_DEVIATIONS: Final = 3.0
"""Standard deviations from the running median beyond which a run is clipped: Hampel's usual choice."""
_MEDIAN_WINDOW: Final = 5
"""Runs of the running median: a level of `MIN_SEGMENT` runs is the majority of it."""


@dataclass(frozen=True)
class ChangePoint:
    """One change of level."""

    index: int
    """Index of the first value at the new level."""
    ratio: float
    """Level after over level before: geometric means up to the neighbouring change points."""
    low: float
    """Lower end of the 95 % interval of the ratio (Welch, on logs). It takes the index as known, so it is slightly too
    narrow for change points that are barely found."""
    high: float
    p: float
    """Share of permuted series with as large a statistic, counting the series itself: at least 0.001."""


def find_change_points(values: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Return the change points of `values` by time; deterministic. ValueError if one is not positive and finite."""
    if not all(value > 0 and math.isfinite(value) for value in values):
        raise ValueError("values must be positive and finite")
    if len(values) < 2 * MIN_SEGMENT:
        return ()
    skipped = max(0, len(values) - MAX_RUNS)
    logs = np.log(np.asarray(values[skipped:], dtype=np.float64))
    clip_limit = _clip_limit(logs)
    p_values = _search(logs, 0, clip_limit)
    indices = _refined(_clipped(logs[:, None], clip_limit)[:, 0], sorted(p_values))
    borders = [0, *indices, len(logs)]
    return tuple(
        _change_point(logs, borders[i], borders[i + 1], borders[i + 2], skipped, p)
        for i, (_, p) in enumerate(sorted(p_values.items()))
    )


def _search(logs: Floats, start: int, clip_limit: float) -> dict[int, float]:
    """Return the p-value of each change point in `logs` by its index, counted from `start`."""
    if len(logs) < 2 * MIN_SEGMENT:
        return {}
    index, maximum = _strongest_split(_clipped(logs[:, None], clip_limit))
    p = _p_value(logs, maximum, LEVEL, clip_limit)
    if p > LEVEL:
        return {}
    before, after = _search(logs[:index], start, clip_limit), _search(logs[index:], start + index, clip_limit)
    return {start + index: p} | before | after


def _p_value(logs: Floats, observed: float, level: float, clip_limit: float) -> float:
    """Return the permutation p-value of `observed`, or 1 as soon as it is known to exceed `level`."""
    generator = np.random.default_rng(len(logs))
    allowed = math.floor(level * (PERMUTATIONS + 1)) - 1
    as_large = 0
    # A permutation with the same groups as the series itself must not differ from it by rounding.
    limit = observed * (1 - 1e-9)
    for _ in range(0, PERMUTATIONS, _BATCH):
        permuted = generator.permuted(np.broadcast_to(logs[:, None], (len(logs), _BATCH)), axis=0)
        layers = _cusums(_clipped(permuted, clip_limit))
        maxima = np.max([statistics.max(axis=(0, 1)) for _, _, statistics in layers], axis=0)
        as_large += int(np.count_nonzero(maxima >= limit))
        if as_large > allowed:
            return 1.0
    return (1 + as_large) / (PERMUTATIONS + 1)


def _clip_limit(logs: Floats) -> float:
    """Return how far a run may lie from the running median: `_OUTLIER_DEVIATIONS` robust standard deviations."""
    return _OUTLIER_DEVIATIONS * 1.4826 * float(np.median(np.abs(logs - _running_median(logs[:, None])[:, 0])))


def _clipped(series: Floats, clip_limit: float) -> Floats:
    """Return `series` (one history a column) with each value at most `clip_limit` from the running median."""
    median = _running_median(series)
    return np.asarray(median + np.clip(series - median, -clip_limit, clip_limit))


def _running_median(series: Floats) -> Floats:
    """Return the running median of each column over `_MEDIAN_WINDOW` values, one-sided at the ends."""
    count = len(series)
    windows = np.lib.stride_tricks.sliding_window_view(series, _MEDIAN_WINDOW, axis=0)
    inner = np.partition(windows, _MEDIAN_WINDOW // 2, axis=2)[:, :, _MEDIAN_WINDOW // 2]
    return np.asarray(inner[np.clip(np.arange(count) - _MEDIAN_WINDOW // 2, 0, count - _MEDIAN_WINDOW)])


def _strongest_split(series: Floats) -> tuple[int, float]:
    """Return the index at which the single history in `series` splits most clearly, and the statistic there."""
    strongest = (0, -1.0)
    for starts, cuts, statistics in _cusums(series):
        interval, cut, _ = np.unravel_index(statistics.argmax(), statistics.shape)
        split = (int(starts[interval] + cuts[cut]), float(statistics.max()))
        strongest = max(strongest, split, key=lambda candidate: candidate[1])
    return strongest


def _cusums(series: Floats) -> Iterator[tuple[Indices, Indices, Floats]]:
    """Yield, for each layer of seeded intervals: their starts, the cuts within them, |CUSUM| (starts x cuts x columns).

    The statistic is the difference between the means before and after the cut, over its standard error per unit of the
    standard deviation of one run.
    """
    sums = np.zeros((len(series) + 1, series.shape[1]))
    np.cumsum(series - series.mean(axis=0), axis=0, out=sums[1:])
    for length, starts in _layers(len(series)):
        cuts = np.arange(MIN_SEGMENT, length - MIN_SEGMENT + 1)
        statistics = sums[starts[:, None] + cuts]
        statistics -= sums[starts][:, None]
        statistics -= (sums[starts + length] - sums[starts])[:, None] * (cuts / length)[:, None]
        statistics *= np.sqrt(length / (cuts * (length - cuts)))[:, None]
        yield starts, cuts, np.abs(statistics, out=statistics)


def _layers(count: int) -> list[tuple[int, Indices]]:
    """Return the seeded intervals over `count` values: (length, starts) of each layer, overlapping by half."""
    layers = []
    share, last = 1.0, 0
    while (length := math.ceil(count * share)) >= 2 * MIN_SEGMENT:
        if length != last:
            intervals = 2 * math.ceil(1 / share) - 1
            starts = np.unique(np.linspace(0, count - length, intervals).astype(np.intp))
            layers.append((length, starts))
        share, last = share * _DECAY, length
    return layers


def _refined(logs: Floats, indices: list[int]) -> list[int]:
    """Move each index to the clearest split between its neighbours: each was found within one interval only."""
    borders = [0, *indices, len(logs)]
    for i in range(1, len(borders) - 1):
        segment = logs[borders[i - 1] : borders[i + 1]]
        cuts = np.arange(MIN_SEGMENT, len(segment) - MIN_SEGMENT + 1)
        statistic = np.abs(np.cumsum(segment - segment.mean())[cuts - 1]) / np.sqrt(cuts * (len(segment) - cuts))
        borders[i] = borders[i - 1] + int(cuts[statistic.argmax()])
    return borders[1:-1]


def _change_point(logs: Floats, start: int, index: int, end: int, skipped: int, p: float) -> ChangePoint:
    """Return the change point at `index` between `start` and `end`, with Welch's interval (1947) on the log scale."""
    segments = logs[start:index], logs[index:end]
    difference = float(segments[1].mean() - segments[0].mean())
    variances = [Variance(float(segment.var(ddof=1)) / len(segment), len(segment) - 1.0) for segment in segments]
    low, high = Effect(difference, sum_of_variances(variances)).interval(0.05)
    return ChangePoint(skipped + index, math.exp(difference), math.exp(low), math.exp(high), p)
