"""TensorFlow's MultiWorkerMirroredStrategy: a process for each rank, told by TF_CONFIG where the others are."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from typing import Any, Final

import tensorflow as tf

from joulemark.suite.trial.frameworks import tensorflow
from joulemark.suite.trial.frameworks.adapter import Step
from joulemark.suite.trial.ranks import forks
from joulemark.suite.trial.ranks.group import Group
from joulemark.suite.trial.ranks.strategy import RunRank
from joulemark.suite.trial.ranks.tensorflow_replicas import Kit

HOST: Final = "127.0.0.1"
Communication = tf.distribute.experimental.CommunicationImplementation


class Adapter(tensorflow.Adapter):
    """Drives TensorFlow in one of several processes, each with one device."""

    strategy: tf.distribute.MultiWorkerMirroredStrategy
    _kit: Kit

    def join(self, group: Group) -> None:  # noqa: ARG002  TF_CONFIG says who this rank is
        """Start the rank's server and connect it to the others': NCCL between GPUs, rings of gRPC between CPUs."""
        self.communication = Communication.NCCL if self.cuda else Communication.RING
        options = tf.distribute.experimental.CommunicationOptions(implementation=self.communication)
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
        tf.distribute.experimental_set_strategy(self.strategy)

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for this device and precision."""
        self._kit = Kit(self.strategy, self.execution.precision, seed, training, learning_rate_factor)
        return self._kit

    def alone(self, step: Step) -> Step:
        """Return the step without sums over replicas."""

        def own_step(**inputs: Any) -> Mapping[str, Any]:
            self._kit.alone = True  # while this is traced
            try:
                return step(**inputs)
            finally:
                self._kit.alone = False

        alone: Step = tf.function(own_step, autograph=False)
        return alone

    def leave(self) -> None:
        """Do nothing: servers end with their processes."""

    def read_back(self) -> dict[str, str]:
        """Return the settings, and who communicates how."""
        return {
            **super().read_back(),
            "backend": self.communication.value,
            "world_size": str(self.strategy.num_replicas_in_sync),
        }


def launch(count: int, run_rank: RunRank) -> list[Any]:
    """Run the ranks as forks of this process, each with its TF_CONFIG. Raises RankFailedError."""
    with contextlib.ExitStack() as stack:
        workers = [f"{HOST}:{stack.enter_context(_reserved()).getsockname()[1]}" for _ in range(count)]

        def run(rank: int) -> Any:
            task = {"type": "worker", "index": rank}
            os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
            os.environ["no_grpc_proxy"] = HOST  # noqa: SIM112  gRPC's name; a proxy of the user's is for others
            return run_rank(rank)

        return forks.launch(count, run)


def _reserved() -> socket.socket:
    """Return a socket that keeps a free port: who may share it (SO_REUSEADDR) can bind it while nobody listens."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    return holder
