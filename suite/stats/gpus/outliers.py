"""Values that are too low to belong to the others, with a stated chance of any false one. Pure.

B. Rosner, "Percentage points for a generalized ESD many-outlier procedure", Technometrics 25(2), 1983: the lowest value
is removed time and again; each one is compared with Student's t of those that remain. All up to the last one that is
too low are outliers, so that two of them do not hide each other. The standard deviation is that of the values, so that
healthy GPUs may differ: they must be normally distributed, not equal. Here one side is tested.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from joulemark.suite.stats.intervals import t_quantile

MIN_VALUES: Final = 4
"""With three, the other two have one degree of freedom: nothing would ever be found."""
INFLATION: Final = 1.4
"""By how much the rate of false outliers is above the nominal one where several are looked for: 1.36 for 8 values, 1.35
for 12, 1.23 for 16, 1.05 for 32 (100,000 simulations each); Rosner's tables begin at 25. Where one is looked for, from
4 to 7 values, the nominal rate is exact."""


def most_outliers(count: int) -> int:
    """Return how many of `count` values may be outliers: a quarter of them, at least one."""
    return max(1, count // 4)


def low_outliers(values: Sequence[float], alpha: float) -> set[int]:
    """Return the indices of the values that are too low; the chance of any false one is at most `alpha`.

    None if there are fewer than MIN_VALUES.
    """
    if len(values) < MIN_VALUES:
        return set()
    order = sorted(range(len(values)), key=values.__getitem__)
    at_most = most_outliers(len(values))
    nominal = alpha if at_most == 1 else alpha / INFLATION
    centre = values[order[len(order) // 2]]
    deviations = [values[i] - centre for i in order]
    total, squares = math.fsum(deviations), math.fsum(deviation**2 for deviation in deviations)
    found = 0
    for number, lowest in enumerate(deviations[:at_most], 1):
        total, squares = total - lowest, squares - lowest**2
        rest = len(values) - number
        mean = total / rest
        # Never below rounding: equal values have no outlier.
        variance = max((squares - rest * mean**2) / (rest - 1), (1e-12 * (1 + abs(centre))) ** 2)
        t = (mean - lowest) / math.sqrt(variance * (1 + 1 / rest))
        if t > t_quantile(1 - nominal / (rest + 1), rest - 1):
            found = number
    return set(order[:found])
