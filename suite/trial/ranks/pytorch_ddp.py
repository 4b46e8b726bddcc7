"""PyTorch's DistributedDataParallel: each rank has the whole model, and ranks average their gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from joulemark.suite.trial.frameworks.adapter import Step
from joulemark.suite.trial.ranks.pytorch_processes import RankAdapter, RankKit, connection, launch
from joulemark.workloads.kits.pytorch.learner import Outputs
from joulemark.workloads.spec import Optimizer, Program

__all__ = ["Adapter", "connection", "launch"]


class Replica(nn.Module):
    """A part of a model and its forward function as one module, which DistributedDataParallel takes."""

    def __init__(self, part: nn.Module, compute: Callable[..., Outputs]) -> None:
        super().__init__()
        self.part, self.compute = part, compute

    def forward(self, **inputs: torch.Tensor) -> Outputs:
        """Return the outputs of the part's forward function."""
        return self.compute(**inputs)


class Kit(RankKit):
    """The kit whose trainings average the gradients of all ranks while they are computed."""

    replicas: list[DistributedDataParallel]

    def alternating_training(
        self, model: nn.Module, players: Sequence[tuple[nn.Module, Callable[..., Outputs]]], optimizer: Optimizer
    ) -> Program:
        """Return the kit's training, each player's forward function in a DistributedDataParallel of its own."""
        self.replicas = [DistributedDataParallel(Replica(part, forward)) for part, forward in players]
        parts = [part for part, _ in players]
        program: Program = super().alternating_training(model, list(zip(parts, self.replicas, strict=True)), optimizer)
        return program


class Adapter(RankAdapter):
    """Drives PyTorch with DistributedDataParallel."""

    _kit: Kit

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for this device and precision."""
        self._kit = Kit(self.execution.device, self.execution.precision, seed, training, learning_rate_factor)
        return self._kit

    def alone(self, step: Step) -> Step:
        """Return the step with `no_sync`: gradients stay in the rank."""

        def step_alone(**inputs: Any) -> Mapping[str, Any]:
            with self._not_synchronised():
                return step(**inputs)

        return step_alone

    @contextlib.contextmanager
    def _not_synchronised(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for replica in self._kit.replicas:
                stack.enter_context(replica.no_sync())
            yield
