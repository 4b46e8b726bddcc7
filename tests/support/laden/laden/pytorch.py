"""The loads, in a process of PyTorch."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from joulemark.workloads.spec import Program

SMALL = 8
RESTLESS = (8, 24)
"""Products in every other process, and in the others."""


def build(size, phase, kit):
    """A step of a small matrix product, beside as many large ones as `size.load` says; its output is the small one."""
    products = 0
    if size.load == "given":
        products = int(os.environ.get("LADEN_PRODUCTS", "0"))
    if size.load == "restless":
        # Whatever else runs, every other process has three times the work: a spread that no luck makes narrow.
        count = Path(os.environ["LADEN_COUNT"])
        with count.open("a") as file:
            file.write(".")
        products = RESTLESS[count.stat().st_size % 2]

    def step(x):
        for _ in range(products):
            torch.tanh(x @ x)
        y = x[:, :SMALL, :SMALL]
        return {"y": torch.tanh(y @ y)}

    return Program(step=step)
