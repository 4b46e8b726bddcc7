"""Our steps against the models users would otherwise take, turn by turn in one process, as ratios of throughput.

PyTorch (eager): Hugging Face transformers, random weights from a config. TensorFlow (graph): keras.applications and
Keras-Hub. Inputs, loss (mean square of the output), optimizer, precision, mode and batch are the same; the model is
theirs, in the layout its users run it in. Goal: ours at least 0.97 of theirs in every pair.

`python -m studies.reference [pytorch|tensorflow] [PAIR...]`; needs the extra `reference`.

Differences of definition:
- keras.applications' ResNet50 has the stride in the first 1 x 1 convolution, as our size `first`, which it is held
  against; its convolutions have biases. It and MobileNetV2 have Keras 3's own batch norm (moments and arithmetic, not
  the fused kernel), and pad by a layer of its own.
- transformers' MobileNetV2 is told to pad as PyTorch does, without which it pads each image in a step of its own.
- BERT is the encoder with its pooler on both sides, GPT-2 gives the logits of all tokens, ViT has no pooler.
- Dropout is off on both sides.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import numpy as np

from benchmarks.ratios import Ratio, interleaved, report
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Arrays, Program, Sgd, Size

ROUNDS = 21
TURN_S = 0.4
"""Least length of one side's turn."""
GOAL = 0.97
OPTIMIZER = Sgd(learning_rate=1e-3, momentum=0.9)
PAIRS = ("resnet50", "mobilenetv2", "vit", "bert", "gpt2")
PHASES = ("inference", "training")


def sized(name: str, framework: str) -> Size:
    """What both run at: `small`, with the reference's stride where it has another."""
    size = workloads()[name].sizes["small"]
    if (name, framework) == ("resnet50", "tensorflow"):
        size = replace(size, hyper={**size.hyper, "stride_in": 1})
    return size.at(size.batch_size["cpu"])


def arrays(name: str, size: Size) -> Arrays:
    """The inputs of one step, the same for both."""
    drawn = workloads()[name].inputs(size, "inference", size.batch, np.random.default_rng(0))
    return {key: array for key, array in drawn.items() if key != "places"}


def program(side: Any, kit: Any, phase: str, square: Callable[[Any], Any]) -> Program:
    """The step of one side, made by our kit from its model: (model, forward(training, **inputs) -> tensor)."""
    model, forward = side
    if phase == "inference":
        return kit.inference(model, lambda **read: {"out": forward(False, **read)})
    return kit.training(model, lambda **read: {"loss": square(forward(True, **read))}, OPTIMIZER)


def compare(framework: str, name: str, phase: str) -> Ratio:
    """Ratio of their time of a step to ours: above 1, ours is faster. Runs in a process of its own."""
    theirs_of = importlib.import_module(f"reference_{framework}")
    theirs_of.set_threads(len(os.sched_getaffinity(0)))
    kit = importlib.import_module(f"joulemark.workloads.kits.{framework}").Kit(precision="fp32", seed=0)
    size = sized(name, framework)
    tensors = {key: kit.tensor(array) for key, array in arrays(name, size).items()}
    turns = []
    for side in (theirs_of.theirs(name, size), theirs_of.ours(name, size, kit)):
        step = theirs_of.compiled(program(side, kit, phase, theirs_of.square).step)
        turns.append(turn(lambda step=step: step(**tensors)))
    return interleaved(*turns, ROUNDS)


def turn(step: Callable[[], Any]) -> Callable[[], float]:
    """Seconds a step, over as many steps as last TURN_S; warmed up."""
    for _ in range(3):
        step()
    start = time.perf_counter()
    step()
    count = max(1, round(TURN_S / (time.perf_counter() - start)))

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(count):
            step()
        return (time.perf_counter() - start) / count

    return measure


def main(chosen: list[str]) -> bool:
    """Print the ratios; whether all goals are met."""
    met = True
    for framework in ("pytorch", "tensorflow"):
        for name in PAIRS:
            if (chosen_of := set(chosen) & {"pytorch", "tensorflow"}) and framework not in chosen_of:
                continue
            if (chosen_of := set(chosen) & set(PAIRS)) and name not in chosen_of:
                continue
            for phase in PHASES:
                with get_context("spawn").Pool(1) as pool:
                    ratio = pool.apply(compare, (framework, name, phase))
                met &= report(f"{framework} {name} {phase}, ours / theirs", ratio, f">= {GOAL}", ratio.median >= GOAL)
    return met


if __name__ == "__main__":
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2")
    sys.exit(0 if main(sys.argv[1:]) else 1)
