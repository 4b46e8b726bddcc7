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
            if torch.cuda.memory_reserved(number):
                torch.cuda.synchronize(number)
    # TensorFlow too: it would take the whole of every board for a program that only imported it. No public call says
    # whether it has begun; each that asks for devices begins.
    eager: Any = sys.modules.get("tensorflow.python.eager.context")
    begun = eager is not None and getattr(eager.context_safe(), "_initialized", False)
    if begun and sys.modules["tensorflow"].executing_eagerly():
        sys.modules["tensorflow"].test.experimental.sync_devices()
