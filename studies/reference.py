"""Joulemark's models against those that users would otherwise take, turn by turn in one process: ratios of throughput.

PyTorch (eager): Hugging Face transformers, with random weights. TensorFlow (graph): keras.applications and Keras-Hub.
Inputs, loss (mean square of the output), optimizer, precision, mode and batch size are the same; the reference model
has the memory format that its users run it in. Joulemark's throughput should be at least 0.97 of the reference's.

`python -m studies.reference [pytorch|tensorflow] [MODEL...]`; needs the extra `reference`. With `alike`, the models of
transformers have Joulemark's memory format and activations: it shows how much of the difference these make.

Differences of definition:
- ResNet50 of keras.applications has its stride in the first 1 x 1 convolution, as size `first` here, which it is
  compared with; its convolutions have biases. It and MobileNetV2 use Keras 3's own batch norm (moments and arithmetic,
  not the fused kernel), and pad in a separate layer.
- MobileNetV2 of transformers is configured to pad as PyTorch does; otherwise it pads each image in a separate step.
- BERT is the encoder with its pooler on both sides, GPT-2 and Llama return the logits of all tokens, ViT has no pooler.
- Dropout is off on both sides.
- Llama also reads a prompt (`prefill`, logits of the last token alone) and decodes a token at a time after it
  (`decoding`), each with a cache: ours as in phase `response`; transformers' grows with each token, as in its
  `generate`; Keras-Hub's has all places from the start, as ours, and reads no padding, which its `generate` would.
"""

from __future__ import annotations

import importlib
import itertools
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
"""Shortest turn of one side, seconds."""
GOAL = 0.97
OPTIMIZER = Sgd(learning_rate=1e-3, momentum=0.9)
FRAMEWORKS = ("pytorch", "tensorflow")
MODELS = ("resnet50", "mobilenetv2", "vit", "bert", "gpt2", "llama")
PHASES = ("inference", "training")
ANSWERING = ("prefill", "decoding")
"""Phases of Llama alone."""
ALIKE = ("resnet50", "mobilenetv2", "gpt2")
"""Models whose reference in PyTorch has another memory format or other activations."""


def common_size(name: str, framework: str) -> Size:
    """Return the size of both sides: `small`, with the reference's stride if that differs."""
    size = workloads()[name].sizes["small"]
    if (name, framework) == ("resnet50", "tensorflow"):
        size = replace(size, hyper={**size.hyper, "stride_in": 1})
    return size.at(size.batch_size["cpu"])


def inputs(name: str, size: Size) -> Arrays:
    """Return the inputs of one step, the same for both sides."""
    arrays = workloads()[name].inputs(size, "inference", size.batch, np.random.default_rng(0))
    return {key: array for key, array in arrays.items() if key != "places"}


def program(model: Any, forward: Any, kit: Any, phase: str, square: Callable[[Any], Any]) -> Program:
    """Return the step of `model`, made by Joulemark's kit; `forward(training, **inputs)` returns a tensor."""
    if phase == "inference":
        return kit.inference(model, lambda **tensors: {"out": forward(False, **tensors)})
    return kit.training(model, lambda **tensors: {"loss": square(forward(True, **tensors))}, OPTIMIZER)


def compare(framework: str, name: str, phase: str, alike: bool = False) -> Ratio:
    """Return the reference's step time over Joulemark's: above 1, Joulemark is faster. Needs a process of its own.

    `alike`, PyTorch only: the reference has Joulemark's memory format and activations.
    """
    module = importlib.import_module(f"studies.reference_{framework}")
    module.set_threads(len(os.sched_getaffinity(0)))
    kit = importlib.import_module(f"joulemark.workloads.kits.{framework}").Kit(precision="fp32", seed=0)
    size = common_size(name, framework)
    tensors = {key: kit.tensor(array) for key, array in inputs(name, size).items()}
    if phase in ANSWERING:
        return interleaved(*(timed_turn(answer(*side, phase, **tensors)) for side in module.answers(size, kit)), ROUNDS)
    turns = []
    reference = (module.alike if alike else module.reference)(name, size)
    for model, forward in (reference, module.joulemark(name, size, kit)):
        step = module.compiled(program(model, forward, kit, phase, module.square).step)
        turns.append(timed_turn(lambda step=step: step(**tensors)))
    return interleaved(*turns, ROUNDS)


def answer(prefill: Callable[[Any], Any], decode: Callable[[], Any], phase: str, tokens: Any) -> Callable[[], Any]:
    """Return what reads the prompt `tokens` (B, T), or decodes the rest of the answer from there, again and again."""
    prefill(tokens)
    return decode if phase == "decoding" else lambda: prefill(tokens)


def timed_turn(step: Callable[[], Any]) -> Callable[[], float]:
    """Warm up; return a function that returns the seconds per step, over as many steps as take TURN_S."""
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


def main(arguments: list[str]) -> bool:
    """Print the ratios of the frameworks and models in `arguments`; return whether all reach the goal."""
    alike = "alike" in arguments
    frameworks = ["pytorch"] if alike else [name for name in FRAMEWORKS if name in arguments] or FRAMEWORKS
    models = [name for name in MODELS if name in arguments] or (ALIKE if alike else MODELS)
    met = True
    for framework, model, phase in itertools.product(frameworks, models, PHASES + ANSWERING):
        if phase in ANSWERING and model != "llama":
            continue
        with get_context("spawn").Pool(1) as pool:
            ratio = pool.apply(compare, (framework, model, phase, alike))
        name = f"{framework} {model} {phase}, joulemark / reference{' made alike' if alike else ''}"
        met &= report(name, ratio, f">= {GOAL}", ratio.median >= GOAL)
    return met


if __name__ == "__main__":
    if not set(sys.argv[1:]) <= {*FRAMEWORKS, *MODELS, "alike"}:
        sys.exit(__doc__)
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="2")
    sys.exit(0 if main(sys.argv[1:]) else 1)
