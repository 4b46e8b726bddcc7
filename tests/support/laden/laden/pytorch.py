"""The loads, in a process of PyTorch."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from joulemark.workloads.spec import Program


def build(size, phase, kit):
    """A step of 8 matrix products, as often as `size.load` says; its output is that of the first 8."""
    times = int(os.environ.get("LADEN_TIMES", "1")) if size.load == "given" else 1
    if size.load == "restless":
        # Whatever else runs, every other process has three times the work: a spread that no luck makes narrow.
        count = Path(os.environ["LADEN_COUNT"])
        with count.open("a") as file:
            file.write(".")
        times = 3 if count.stat().st_size % 2 else 1

    def step(x):
        y = x
        for i in range(8 * times):
            y = torch.tanh(x @ y) if i < 8 else torch.where(torch.tanh(x @ y) > 2, x, y)
        return {"y": y}

    return Program(step=step)
