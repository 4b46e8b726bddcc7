"""How much time each part of a trial gets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How long each part of a trial takes, seconds."""

    window_s: float
    warmup_s: float
    warmup_most_s: float
    border_s: float
    """Steady load before and after the window: as long as the slowest sensor averages or lags."""
    blocks_least: int = 5
    """Blocks in a window at least, however long they take."""
    latency_s: float = 0.0
    """Length of a pass of its own that times single steps; 0: none."""
    rest_s: float = 0.0
    """Rest between load and first call, with context and model on the device: resident idle; 0: none."""
