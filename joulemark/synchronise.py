"""Wait for the devices of frameworks that the program itself has imported. Imports none."""

from __future__ import annotations

import sys
from typing import Any


def synchronise() -> None:
    """Wait until all work that was launched on any device so far is done."""
    torch: Any = sys.modules.get("torch")
    # A GPU that was never used has nothing to wait for, and must not be initialised.
    if torch is not None and torch.cuda.is_initialized():
        for index in range(torch.cuda.device_count()):
            if torch.cuda.memory_reserved(index):
                torch.cuda.synchronize(index)
    # Nor must TensorFlow: it would claim the memory of every GPU for a program that only imported it. No public call
    # says whether it is initialised; those that ask for devices initialise it.
    eager: Any = sys.modules.get("tensorflow.python.eager.context")
    initialized = eager is not None and getattr(eager.context_safe(), "_initialized", False)
    if initialized and sys.modules["tensorflow"].executing_eagerly():
        sys.modules["tensorflow"].test.experimental.sync_devices()
    # JAX waits for arrays, not for devices. Asking for them would make a client of each device.
    bridge: Any = sys.modules.get("jax._src.xla_bridge")
    if bridge is not None and bridge.backends_are_initialized():
        sys.modules["jax"].block_until_ready(sys.modules["jax"].live_arrays())
