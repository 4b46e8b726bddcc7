"""TensorFlow's MirroredStrategy: one process, with a replica of the program on each of its devices."""

from __future__ import annotations

from dataclasses import replace

import tensorflow as tf

from joulemark.suite.trial.frameworks import tensorflow
from joulemark.suite.trial.frameworks.adapter import Execution
from joulemark.suite.trial.ranks.tensorflow_replicas import Kit


class Adapter(tensorflow.Adapter):
    """Drives TensorFlow on several devices: CPUs that it makes of one, or GPUs."""

    def __init__(self, execution: Execution) -> None:
        # One pool of threads for all CPU devices of the process, with those of all ranks.
        super().__init__(replace(execution, threads=execution.threads * execution.ranks))
        if not self.cuda:
            (cpu,) = tf.config.list_physical_devices("CPU")
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * execution.ranks)
        kind = "GPU" if self.cuda else "CPU"
        self.strategy = tf.distribute.MirroredStrategy([f"{kind}:{number}" for number in range(execution.ranks)])
        tf.distribute.experimental_set_strategy(self.strategy)

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Kit:
        """Return the kit for these devices and precision."""
        return Kit(self.strategy, self.execution.precision, seed, training, learning_rate_factor)

    def read_back(self) -> dict[str, str]:
        """Return the settings, and the number of replicas."""
        return {**super().read_back(), "replicas": str(self.strategy.num_replicas_in_sync)}
