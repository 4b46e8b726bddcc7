"""PyTorch kits whose training has one mistake each, of the kinds that go unnoticed: the tests must detect them.

`faulty_kits` has the same mistakes in TensorFlow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from joulemark.workloads.kits.pytorch import Kit
from joulemark.workloads.spec import Optimizer, Program


class NeverUpdates(Kit):
    """The optimizer changes nothing."""

    rate = 0.0

    def optimizer(self, parameters: list[nn.Parameter], definition: Optimizer, sparse: bool = False) -> Any:
        definition = replace(definition, learning_rate=self.rate * definition.learning_rate)
        return super().optimizer(parameters, definition, sparse)


class DoubleUpdate(NeverUpdates):
    """Updates are twice as large."""

    rate = 2.0


class NoLossScale(Kit):
    """In fp16 the loss is not scaled."""

    def alternating_training(self, *arguments: Any) -> Program:
        precision, self.precision = self.precision, "bf16"
        program = super().alternating_training(*arguments)
        self.precision = precision
        return program


class _EagerOnly:
    """An optimizer that compiled code leaves out."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    def step(self) -> None:
        if not torch.compiler.is_compiling():
            self.optimizer.step()


class NoCompiledUpdate(Kit):
    """A compiled step calls no optimizer."""

    def optimizer(self, *arguments: Any) -> Any:
        return _EagerOnly(super().optimizer(*arguments))
