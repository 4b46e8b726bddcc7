"""Waiting for devices, of the frameworks that the program has imported itself. Imports none."""

from __future__ import annotations

import sys
from typing import Any


def synchronise() -> None:
    """Return once everything that was launched on any device so far is done."""
    torch: Any = sys.modules.get("torch")
    # A board that was never used has nothing to wait for, and must not be woken.
    if torch is not None and torch.cuda.is_initialized():
        for number in range(torch.cuda.device_count()):
            torch.cuda.synchronize(number)
    tensorflow: Any = sys.modules.get("tensorflow")
    if tensorflow is not None and tensorflow.executing_eagerly():
        tensorflow.test.experimental.sync_devices()
