"""Initial weights, drawn by numpy by neutral name: all frameworks start from the same numbers."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Spread = Callable[[str, Shape], float]
"""(neutral name, shape) -> standard deviation of a kernel's or an embedding's normal distribution."""

_ONES = ("gamma", "moving_variance")
_ZEROS = ("beta", "bias", "moving_mean")


def fans(name: str, shape: Shape) -> tuple[int, int]:
    """Return (fan in, fan out) of a kernel on neutral axes: (..., in, out), depthwise (height, width, channel, 1)."""
    if name.endswith("depthwise_kernel"):
        window = math.prod(shape[:2])
        return window, window
    receptive = math.prod(shape[:-2])
    return receptive * shape[-2], receptive * shape[-1]


def he(name: str, shape: Shape) -> float:
    """Return sqrt(2 / fan in): He et al. 2015, https://arxiv.org/abs/1502.01852, equation 10."""
    return math.sqrt(2 / fans(name, shape)[0])


def glorot(name: str, shape: Shape) -> float:
    """Return sqrt(2 / (fan in + fan out)): Glorot and Bengio 2010, equation 12."""
    return math.sqrt(2 / sum(fans(name, shape)))


def normal(deviation: float) -> Spread:
    """Return a spread that is the same for all weights, as in language models."""
    return lambda _name, _shape: deviation


def draw(name: str, shape: Shape, spread: Spread, seed: int, dtype: Any = np.float32) -> np.ndarray:
    """Return the initial value of one weight: scales 1, offsets 0, all others normal without truncation.

    Each weight has its own generator: the order in which a framework lists them does not matter.
    """
    leaf = name.rpartition(".")[2]
    if leaf in _ONES:
        return np.ones(shape, dtype)
    if leaf in _ZEROS:
        return np.zeros(shape, dtype)
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    # Drawn in single precision: float64 parity tests start from the same numbers as float32 runs.
    values = generator.standard_normal(shape, np.float32)
    values *= np.float32(spread(name, shape))
    return values.astype(dtype, copy=False)
