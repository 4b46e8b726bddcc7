"""TensorFlow's MultiWorkerMirroredStrategy: a process for each rank, found by TF_CONFIG."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

import tensorflow as tf

from joulemark.suite.trial.frameworks import tensorflow
from joulemark.suite.trial.frameworks.adapter import Step
from joulemark.suite.trial.ranks import forks
from joulemark.suite.trial.ranks.group import Group
from joulemark.suite.trial.ranks.strategy import RunRank
from joulemark.suite.trial.ranks.tensorflow_kit import Kit


class Adapter(tensorflow.Adapter):
    """Drives TensorFlow in one of several processes."""

    strategy: tf.distribute.Strategy
    _kit: Kit

    def join(self, group: Group) -> None:
        """Connect to the other workers; from now on variables are the strategy's."""
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        assert self.strategy.num_replicas_in_sync == group.size
        self._scope = self.strategy.scope()
        self._scope.__enter__()

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for this device and precision."""
        device = tensorflow.VISIBLE_GPU if self.cuda else "CPU:0"
        own = device, self.execution.precision, seed, training, True, learning_rate_factor
        self._kit = Kit(self.strategy, *own)
        return self._kit

    def compile(self, step: Step) -> Step:
        """Return the step of the replica as one function."""
        return super().compile(self._kit.replicated(step))

    def alone(self, step: Step) -> Step:  # noqa: ARG002  a step of the optimizer would communicate
        """Return forward and backward, without the update, which adds up gradients."""
        return super().compile(self._kit.replicated(self._kit.differentiate))

    def leave(self) -> None:
        """Do nothing: the process ends."""

    def read_back(self) -> dict[str, str]:
        """Return the settings, and the number of replicas."""
        return {**super().read_back(), "replicas": str(self.strategy.num_replicas_in_sync)}


def launch(count: int, run_rank: RunRank) -> list[Any]:
    """Run the ranks as forks of this process, each with its TF_CONFIG. Raises RankFailedError."""
    workers = [f"localhost:{port}" for port in free_ports(count)]

    def run_worker(rank: int) -> Any:
        task = {"type": "worker", "index": rank}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
        return run_rank(rank)

    return forks.launch(count, run_worker)


def free_ports(count: int) -> list[int]:
    """Return numbers of ports of this machine that nobody listens on."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
