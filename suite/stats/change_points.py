"""Steps in a history: where the level of a noisy series changed for good. Pure.

Seeded binary segmentation (Kovács, Bühlmann, Li and Munk, Biometrika 110, 2023): the CUSUM statistic of a change in
mean is taken over a fixed set of intervals, long and short, so that a step that was undone a few runs later is not
lost in one mean over all. Its largest value is judged against the same value of permuted series, which is exact for
any distribution whose order carries nothing, however heavy its tails: a flat history raises a step in `LEVEL` of
cases. Where there is a step, the two sides are searched in their turn. Single runs far off are pulled in first
(Hampel's identifier, Pearson 2002), in the permuted series too, so that the level holds.

What the level does not cover: a machine whose state drifts slowly from run to run makes neighbours alike without a
step. docs/history.md shows by how much that raises false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from joulemark.suite.stats.intervals import t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL: Final = 0.005
"""Share of flat histories that raise a step. Half of the 1 % that is promised: machines drift a little from run to run,
which the permutations do not know."""

MIN_SEGMENT: Final = 3
"""Runs on each side of a step: fewer cannot be told from single runs far off."""

MAX_RUNS: Final = 500
"""The latest runs that are searched; earlier ones are left out."""

PERMUTATIONS: Final = 999
_BATCH: Final = 111
_DECAY: Final = math.sqrt(0.5)
"""Ratio of the lengths of two layers of intervals, as recommended in the paper."""
_FAR: Final = 3.0
"""Standard deviations from the median of its neighbourhood at which a run is pulled in: Hampel's usual choice."""
_AROUND: Final = 5
"""Runs of that neighbourhood: a level of `MIN_SEGMENT` runs holds the majority of it."""


@dataclass(frozen=True)
class ChangePoint:
    """One change of level."""

    index: int
    """Place of the first value at the new level."""
    ratio: float
    """Level after over level before: geometric means up to the steps on both sides."""
    low: float
    """Ends of the 95 % interval of the ratio (Welch, on logs). The place is taken as known, so that it is a little
    too narrow for steps that are barely found."""
    high: float
    p: float
    """Share of permuted series with as large a statistic, the series itself counted in: 0.001 at the least."""


def find_change_points(values: Sequence[float], level: float = LEVEL) -> tuple[ChangePoint, ...]:
    """Steps in positive `values`, which are in the order of time. The same answer for the same values.

    ValueError where a value is not positive and finite.
    """
    import numpy as np

    if not all(value > 0 and math.isfinite(value) for value in values):
        raise ValueError("values must be positive and finite")
    if len(values) < 2 * MIN_SEGMENT:
        return ()
    skipped = max(0, len(values) - MAX_RUNS)
    logs = np.log(np.asarray(values[skipped:], dtype=np.float64))
    reach = _reach(logs)
    found = _search(logs, 0, level, reach)
    places = _settled(_pulled_in(logs[:, None], reach)[:, 0], sorted(found))
    borders = [0, *places, len(logs)]
    return tuple(
        _step(logs, borders[i], borders[i + 1], borders[i + 2], skipped, p)
        for i, (_, p) in enumerate(sorted(found.items()))
    )


def _search(logs: NDArray[np.float64], start: int, level: float, reach: float) -> dict[int, float]:
    """Places of steps in `logs`, counted from `start`, and their p."""
    if len(logs) < 2 * MIN_SEGMENT:
        return {}
    at, largest = _clearest(_pulled_in(logs[:, None], reach))
    p = _p(logs, largest, level, reach)
    if p > level:
        return {}
    return {start + at: p, **_search(logs[:at], start, level, reach), **_search(logs[at:], start + at, level, reach)}


def _p(logs: NDArray[np.float64], observed: float, level: float, reach: float) -> float:
    """p of `observed` by permutation; 1 as soon as it is known to be above `level`."""
    import numpy as np

    generator = np.random.default_rng(len(logs))
    allowed = math.floor(level * (PERMUTATIONS + 1)) - 1
    as_large = 0
    # Rounding must not tell a permutation that has the very same groups from the series itself.
    border = observed * (1 - 1e-9)
    for _ in range(0, PERMUTATIONS, _BATCH):
        permuted = generator.permuted(np.broadcast_to(logs[:, None], (len(logs), _BATCH)), axis=0)
        largest = np.max([part.max(axis=(0, 1)) for _, _, part in _cusums(_pulled_in(permuted, reach))], axis=0)
        as_large += int(np.count_nonzero(largest >= border))
        if as_large > allowed:
            return 1.0
    return (1 + as_large) / (PERMUTATIONS + 1)


def _reach(logs: NDArray[np.float64]) -> float:
    """How far a run may be from the median of its neighbourhood: `_FAR` robust standard deviations."""
    import numpy as np

    return _FAR * 1.4826 * float(np.median(np.abs(logs - _centre(logs[:, None])[:, 0])))


def _pulled_in(series: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """`series` (columns of one history each) with values that are farther off than `reach` moved to that border."""
    import numpy as np

    centre = _centre(series)
    return np.asarray(centre + np.clip(series - centre, -reach, reach))


def _centre(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running median of each column over `_AROUND` values, which at the ends lie on one side."""
    import numpy as np

    count = len(series)
    windows = np.lib.stride_tricks.sliding_window_view(series, _AROUND, axis=0)
    inner = np.partition(windows, _AROUND // 2, axis=2)[:, :, _AROUND // 2]
    return np.asarray(inner[np.clip(np.arange(count) - _AROUND // 2, 0, count - _AROUND)])


def _clearest(series: NDArray[np.float64]) -> tuple[int, float]:
    """Where the one history in `series` splits most clearly, and the statistic there."""
    import numpy as np

    best = (0, -1.0)
    for starts, cuts, part in _cusums(series):
        interval, cut, _ = np.unravel_index(part.argmax(), part.shape)
        best = max(best, (int(starts[interval] + cuts[cut]), float(part.max())), key=lambda found: found[1])
    return best


def _cusums(series: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]]:
    """By layer of seeded intervals: their starts, the cuts within them, and |CUSUM| (starts x cuts x columns).

    The statistic is the difference of the means before and after the cut, in units of its standard error times the
    standard deviation of one run.
    """
    import numpy as np

    sums = np.zeros((len(series) + 1, series.shape[1]))
    np.cumsum(series - series.mean(axis=0), axis=0, out=sums[1:])
    for length, starts in _layers(len(series)):
        cuts = np.arange(MIN_SEGMENT, length - MIN_SEGMENT + 1)
        part = sums[starts[:, None] + cuts]
        part -= sums[starts][:, None]
        part -= (sums[starts + length] - sums[starts])[:, None] * (cuts / length)[:, None]
        part *= np.sqrt(length / (cuts * (length - cuts)))[:, None]
        yield starts, cuts, np.abs(part, out=part)


def _layers(count: int) -> list[tuple[int, NDArray[np.intp]]]:
    """Seeded intervals over `count` values: (length, starts) by layer, each half covered by the next one."""
    import numpy as np

    layers = []
    share, last = 1.0, 0
    while (length := math.ceil(count * share)) >= 2 * MIN_SEGMENT:
        if length != last:
            intervals = 2 * math.ceil(1 / share) - 1
            starts = np.unique(np.linspace(0, count - length, intervals).astype(np.intp))
            layers.append((length, starts))
        share, last = share * _DECAY, length
    return layers


def _settled(logs: NDArray[np.float64], places: list[int]) -> list[int]:
    """`places` moved to where the split between their neighbours is clearest: each was found in an interval."""
    import numpy as np

    borders = [0, *places, len(logs)]
    for i in range(1, len(borders) - 1):
        part = logs[borders[i - 1] : borders[i + 1]] - logs[borders[i - 1] : borders[i + 1]].mean()
        cuts = np.arange(MIN_SEGMENT, len(part) - MIN_SEGMENT + 1)
        statistic = np.abs(np.cumsum(part)[cuts - 1]) / np.sqrt(cuts * (len(part) - cuts))
        borders[i] = borders[i - 1] + int(cuts[statistic.argmax()])
    return borders[1:-1]


def _step(logs: NDArray[np.float64], start: int, at: int, end: int, skipped: int, p: float) -> ChangePoint:
    """The step between `start`..`at` and `at`..`end`, with Welch's interval (1947) on the log scale."""
    before, after = logs[start:at], logs[at:end]
    difference = float(after.mean() - before.mean())
    parts = [float(side.var(ddof=1)) / len(side) for side in (before, after)]
    variance = sum(parts)
    degrees = 1.0
    if variance > 0:
        degrees = variance**2 / sum(
            part**2 / (len(side) - 1) for part, side in zip(parts, (before, after), strict=True)
        )
    half = t_quantile(0.975, degrees) * math.sqrt(variance)
    return ChangePoint(skipped + at, math.exp(difference), math.exp(difference - half), math.exp(difference + half), p)
