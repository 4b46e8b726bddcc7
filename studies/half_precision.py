"""What half precision gains: GPT-2 decoding a token at size `base`, bf16 turn by turn with fp32 in one process.

PyTorch in eager mode, TensorFlow in graph mode, on all cores of this process. Decoding reads each weight once a token,
so that bf16 moves half the bytes; weights that were cast in each step would take longer than in fp32. A processor
without bf16 instructions may gain nothing. `python -m studies.half_precision [pytorch|tensorflow]`.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

from benchmarks.ratios import Ratio, interleaved, report
from joulemark.workloads.registry import builder, workloads
from studies.reference import FRAMEWORKS, ROUNDS, timed_turn


def default_mode(framework: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Set the framework's threads to the cores of this process; return what makes a step run in its default mode."""
    cores = len(os.sched_getaffinity(0))
    if framework == "pytorch":
        import torch

        torch.set_num_threads(cores)
        return lambda step: step
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(cores)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    return lambda step: tf.function(step, autograph=False)


def compare(framework: str) -> Ratio:
    """Return the time of a step in fp32 over that in bf16: above 1, bf16 is faster. Needs a process of its own."""
    mode = default_mode(framework)
    kit = importlib.import_module(f"joulemark.workloads.kits.{framework}").Kit
    workload = workloads()["gpt2"]
    size = workload.sizes["base"].at(1)
    turns = []
    for precision in ("fp32", "bf16"):
        program = builder(workload, framework)(size, "generation", kit(precision=precision, training=False))
        turns.append(timed_turn(mode(program.step)))
    return interleaved(*turns, ROUNDS)


def main(arguments: list[str]) -> bool:
    """Print the ratio of each framework in `arguments`, or of all; return whether bf16 is faster in each."""
    met = True
    for framework in [name for name in FRAMEWORKS if name in arguments] or FRAMEWORKS:
        with get_context("spawn").Pool(1) as pool:
            ratio = pool.apply(compare, (framework,))
        met &= report(f"{framework} gpt2 generation, fp32 / bf16", ratio, "interval above 1", ratio.low > 1)
    return met


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
