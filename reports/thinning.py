"""Thin long series of values and keep their peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence


def extremes(values: Sequence[float | None], limit: int) -> list[int]:
    """Return the indices of at most `limit` of `values`: the minimum and maximum of limit/2 equal stretches, in order.

    A mean would hide the peaks that a reader looks for. A stretch without any value keeps one point, which keeps the
    gap.
    """
    if len(values) <= limit:
        return list(range(len(values)))
    kept: list[int] = []
    width = len(values) / (limit // 2)
    for i in range(limit // 2):
        stretch = range(math.floor(i * width), math.floor((i + 1) * width))
        known = [(value, j) for j in stretch if (value := values[j]) is not None]
        kept += sorted({min(known)[1], max(known)[1]}) if known else [stretch[0]]
    return kept
