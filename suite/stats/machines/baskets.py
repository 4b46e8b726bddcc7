"""The baskets of the index: fixed sets of tasks, each with a version. Pure.

A task is never added to or taken out of a basket: a new one gets a version of its own, so that an index of the same
name is always of the same work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Task = tuple[str, str]
"""Workload, with its variant, and phase."""


@dataclass(frozen=True)
class Basket:
    """Tasks of one size in one precision."""

    name: str
    """With its version, such as `small-fp32.1`."""
    size: str
    precision: str
    tasks: tuple[Task, ...]

    @property
    def text(self) -> str:
        """The tasks in words."""
        return ", ".join(f"{workload} {phase}" for workload, phase in self.tasks)


BASKETS: Final = (
    # What `run` measures on a CPU, of the work that the kept run of the H200 did too.
    Basket(
        "small-fp32.1",
        "small",
        "fp32",
        (("matmul", "inference"), ("transformer", "training"), ("ddpm", "training"), ("ddpm", "generation")),
    ),
    # What `run` measures on a GPU, likewise.
    Basket(
        "base-bf16.1",
        "base",
        "bf16",
        (("resnet50", "inference"), ("resnet50", "training"), ("transformer", "training")),
    ),
)
