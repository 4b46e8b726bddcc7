"""Levels for looking more than once: extra rounds for what is in doubt, without more false alarms. Pure.

Whoever measures on until a difference shows finds one: looking five times at 5 % each is wrong 14 % of the time
(P. Armitage, C. K. McPherson and B. C. Rowe, "Repeated significance tests on accumulating data", Journal of the Royal
Statistical Society A 132, 1969). The levels here spend `alpha` over all looks together, by the error spending function
of Pocock's type of K. K. G. Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70,
1983: nearly the same level at each look, since most cases should be settled at the first. What the normal
distribution says of the level of a look is then used for Student's t of that look (S. J. Pocock, "Group sequential
methods in the design and analysis of clinical trials", Biometrika 64, 1977). With few rounds a look that is a little
too bold: of three looks at differences within rounds, 5.8 % are wrong at 2 rounds a look, 5.5 % at 3 and 5.3 % at 5,
where 5 % are promised.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

POINTS = 401
"""Points of the quadrature between two borders; 401 and 4001 agree in nine digits."""


def analysis_levels(looks: int, alpha: float = 0.05) -> tuple[float, ...]:
    """Two-sided level of each of at most `looks` looks, each after as many more rounds as the first had.

    Whatever look the measuring stops at, the chance of any false difference is at most `alpha` for normal values of
    known variance, and through Student's t slightly more: see above. It holds for stopping early for other reasons too.
    ValueError for fewer than one look or an `alpha` outside 0 .. 1.
    """
    if looks < 1:
        raise ValueError(f"{looks} looks: there is at least one")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}: it lies between 0 and 1")
    return _levels(looks, alpha)


def spent_alpha(share: float, alpha: float) -> float:
    """What may be spent of `alpha` once `share` (0 .. 1) of all rounds are in: Lan and DeMets 1983, Pocock's type."""
    return alpha * math.log(1 + (math.e - 1) * share)


@cache
def _levels(looks: int, alpha: float) -> tuple[float, ...]:
    """By the recursion of Armitage, McPherson and Rowe (1969) for the density of what has not crossed yet."""
    import numpy as np
    from scipy.special import ndtr

    found: list[float] = []
    sums: Array = np.zeros(1)
    density: Array = np.ones(1)  # times its weight: where the sum of `look` standard normal steps is, if it goes on
    for look in range(1, looks + 1):
        step = spent_alpha(look / looks, alpha) - spent_alpha((look - 1) / looks, alpha)
        border = _border(sums, density, step, math.sqrt(look))
        found.append(2 * float(ndtr(-border / math.sqrt(look))))
        nodes, weights = np.polynomial.legendre.leggauss(POINTS)
        at = border * nodes
        steps = np.exp(-0.5 * (at[:, None] - sums[None, :]) ** 2) / math.sqrt(2 * math.pi)
        sums, density = at, border * weights * (steps @ density)
    return tuple(found)


def _border(sums: Array, density: Array, chance: float, scale: float) -> float:
    """Where |sum| after one more step lies beyond with probability `chance`, by bisection."""
    from scipy.special import ndtr

    low, high = 0.0, 10.0 * scale
    for _ in range(80):
        middle = (low + high) / 2
        beyond = float((ndtr(sums - middle) + ndtr(-sums - middle)) @ density)
        low, high = (middle, high) if beyond > chance else (low, middle)
    return (low + high) / 2
