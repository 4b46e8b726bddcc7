"""PyTorch's DistributedDataParallel: a process for each rank, started by torchrun's elastic launcher."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from joulemark.suite.trial.frameworks import pytorch
from joulemark.suite.trial.frameworks.adapter import Step, UnsupportedError
from joulemark.suite.trial.outcome import RankFailedError
from joulemark.suite.trial.ranks import pytorch_nodes
from joulemark.suite.trial.ranks.group import Group
from joulemark.suite.trial.ranks.strategy import Meeting, RunRank
from joulemark.workloads.kits import pytorch as kits
from joulemark.workloads.kits.pytorch.learner import Outputs
from joulemark.workloads.spec import Optimizer, Program

MONITOR_S = 0.1
"""How often the launcher looks whether a rank has ended, seconds."""


class Replica(nn.Module):
    """A part of a model and its forward function as one module, which DistributedDataParallel takes."""

    def __init__(self, part: nn.Module, compute: Callable[..., Outputs]) -> None:
        super().__init__()
        self.part, self.compute = part, compute

    def forward(self, **inputs: torch.Tensor) -> Outputs:
        """Return the outputs of the part's forward function."""
        return self.compute(**inputs)


class Kit(kits.Kit):
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

    def layer(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Raise UnsupportedError: a layer has no loss."""
        raise UnsupportedError("DistributedDataParallel trains models: one layer, from a given gradient, has no loss")


class Adapter(pytorch.Adapter):
    """Drives PyTorch in one of several processes."""

    _kit: Kit

    def join(self, group: Group) -> None:
        """Make the process group: Gloo on CPUs, NCCL on GPUs."""
        distributed.init_process_group("nccl" if self.cuda else "gloo", rank=group.rank, world_size=group.size)

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

    def leave(self) -> None:
        """End the process group."""
        distributed.destroy_process_group()

    def read_back(self) -> dict[str, str]:
        """Return the settings, and who communicates how."""
        return {
            **super().read_back(),
            "backend": str(distributed.get_backend()),
            "world_size": str(distributed.get_world_size()),
        }


def connection(adapter: Adapter) -> tuple[Callable[[], object], Callable[[float], float]]:
    """Return a barrier of all ranks, and what gives a number of rank 0 to all: by Gloo, also where GPUs use NCCL."""
    return pytorch_nodes.connection(adapter.cuda)


def launch(count: int, run_rank: RunRank, meeting: Meeting | None = None) -> list[Any]:
    """Run the ranks as forks of this process, under the elastic launcher. Raises RankFailedError.

    `meeting`: where they meet those on other nodes.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    rendezvous: dict[str, Any] = {
        "min_nodes": 1,
        "max_nodes": 1,
        "run_id": str(os.getpid()),
        "rdzv_backend": "c10d",
        "rdzv_endpoint": "localhost:0",
    }
    config = LaunchConfig(
        **(rendezvous if meeting is None else pytorch_nodes.rendezvous(meeting)),
        nproc_per_node=count,
        max_restarts=0,
        monitor_interval=MONITOR_S,
        start_method="fork",
    )
    try:
        results = elastic_launch(config, lambda: run_rank(int(os.environ["RANK"])))()
    except ChildFailedError as error:
        # A rank that was killed makes others raise, and the launcher ends those that are left by SIGTERM.
        codes = {rank: failure.exitcode for rank, failure in error.failures.items()}
        rank = min(codes, key=lambda rank: (codes[rank] >= 0, codes[rank] == -signal.SIGTERM))
        raise RankFailedError(rank, codes[rank]) from None
    return [results[rank] for rank in sorted(results)]
