"""What PyTorch's strategies share: a process for each rank, started by torchrun's elastic launcher."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, NoReturn

from torch import distributed

from joulemark.suite.trial.frameworks import pytorch
from joulemark.suite.trial.frameworks.adapter import UnsupportedError
from joulemark.suite.trial.outcome import RankFailedError
from joulemark.suite.trial.ranks import pytorch_nodes
from joulemark.suite.trial.ranks.group import Group
from joulemark.suite.trial.ranks.strategy import Meeting, RunRank
from joulemark.workloads.kits import pytorch as kits

MONITOR_S = 0.1
"""How often the launcher looks whether a rank has ended, seconds."""


class RankKit(kits.Kit):
    """The kit in one of several ranks."""

    def layer(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Raise UnsupportedError: a layer has no loss."""
        raise UnsupportedError("ranks train models together: one layer, from a given gradient, has no loss")


class RankAdapter(pytorch.Adapter):
    """Drives PyTorch in one of several processes."""

    def join(self, group: Group) -> None:
        """Make the process group: Gloo on CPUs, NCCL on GPUs."""
        distributed.init_process_group("nccl" if self.cuda else "gloo", rank=group.rank, world_size=group.size)

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


def connection(adapter: RankAdapter) -> tuple[Callable[[], object], Callable[[float], float]]:
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
        "local_addr": "127.0.0.1",  # by itself it takes the host name, which need not resolve
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
