"""The test for slow GPUs on many comparisons at once, with arrays: a second implementation, compared with the first."""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
from scipy.special import stdtr

from joulemark.suite.stats.gpus.comparison import LEVEL, unlike_others
from joulemark.suite.stats.gpus.outliers import INFLATION, MIN_VALUES, most_outliers
from joulemark.suite.stats.intervals import t_quantile

CHECKED: Final = 10
"""Comparisons of each kind that the package's own code judges too."""


def unlike_others_of_many(table: Any) -> Any:
    """Return which GPUs are slow, or differ, in each comparison; `table` has comparisons, GPUs and rounds."""
    return _low(table.mean(axis=2)) if table.shape[1] >= MIN_VALUES else _different(table)


def check(table: Any, found: Any) -> None:
    """Raise AssertionError where the package's own code finds other GPUs in the first comparisons."""
    for rows, named in zip(table[:CHECKED].tolist(), found[:CHECKED], strict=True):
        assert unlike_others(rows) == set(np.flatnonzero(named).tolist())


def _low(means: Any) -> Any:
    """Rosner's test of `joulemark.suite.stats.gpus.outliers`."""
    order = np.argsort(means, axis=1)
    values = np.take_along_axis(means, order, axis=1)
    count = values.shape[1]
    at_most = most_outliers(count)
    nominal = LEVEL if at_most == 1 else LEVEL / INFLATION
    values = values - values[:, count // 2, np.newaxis]
    rest = count - np.arange(1, at_most + 1)
    total = values.sum(axis=1, keepdims=True) - np.cumsum(values, axis=1)[:, :at_most]
    squares = (values**2).sum(axis=1, keepdims=True) - np.cumsum(values**2, axis=1)[:, :at_most]
    mean = total / rest
    variance = (squares - rest * mean**2) / (rest - 1)
    t = (mean - values[:, :at_most]) / np.sqrt(variance * (1 + 1 / rest))
    over = t > np.array([t_quantile(1 - nominal / (each + 1), each - 1) for each in rest.tolist()])
    found = np.where(over.any(axis=1), at_most - np.argmax(over[:, ::-1], axis=1), 0)
    named = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(named, order, np.arange(count) < found[:, np.newaxis], axis=1)
    return named


def _different(table: Any) -> Any:
    """Paired t-tests of two or three GPUs, with Holm's procedure."""
    pairs = list(itertools.combinations(range(table.shape[1]), 2))
    rounds = table.shape[2]
    differences = np.stack([table[:, b] - table[:, a] for a, b in pairs], axis=1)
    deviation = differences.std(axis=2, ddof=1) / np.sqrt(rounds)
    p_values = 2 * stdtr(rounds - 1, -np.abs(differences.mean(axis=2) / deviation))
    order = np.argsort(p_values, axis=1)
    passed = np.take_along_axis(p_values, order, axis=1) <= LEVEL / np.arange(len(pairs), 0, -1)
    rejected = np.zeros(p_values.shape, dtype=bool)
    np.put_along_axis(rejected, order, np.cumprod(passed, axis=1).astype(bool), axis=1)
    named = np.zeros(table.shape[:2], dtype=bool)
    for number, pair in enumerate(pairs):
        named[:, pair] |= rejected[:, number, np.newaxis]
    return named
