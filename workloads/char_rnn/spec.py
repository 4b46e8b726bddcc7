"""Character-level LSTM on one-hot characters: training predicts the next character after a window. Generation has read
a prompt of `length` characters and makes one character a step, sampled from the softmax with a random number that is an
input; character and state pass to the next step, and both start anew from the prompt after `length` steps."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=0.002, clip_norm=5.0)
INITIAL = glorot


def gates(size: Size, rows: int) -> tuple[Dense, Dense]:
    """Return the cell's two products for `rows` characters: with the input (and the bias), and with the state."""
    return Dense(size.characters, 4 * size.width, rows), Dense(size.width, 4 * size.width, rows, bias=False)


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return window (B, T, characters), one-hot, and labels (B,); in generation chance (B, 1), uniform."""
    if phase == "generation":
        return {"chance": generator.random((batch, 1), np.float32)}
    window = np.eye(size.characters, dtype=np.float32)[generator.integers(0, size.characters, (batch, size.length))]
    return {"window": window, "labels": generator.integers(0, size.characters, batch)}


def prompt(size: Size, seed: int) -> np.ndarray:
    """Return the characters that generation continues, (B, T)."""
    return np.random.default_rng(seed).integers(0, size.characters, (size.batch, size.length))


def parameters(size: Size) -> Count:
    """Count cell with one bias, classifier."""
    head = Dense(size.width, size.characters)
    return all_trained(sum(gate.parameters for gate in gates(size, 1)) + head.parameters)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: products with input, state and classifier, of a window or of one character.

    Backward twice that, but for the gradient of the input.
    """
    read, recur = gates(size, size.length if phase == "training" else 1)
    forward = read.flops + recur.flops + Dense(size.width, size.characters).flops
    return 3 * forward - read.flops if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item, and its share of the weights.

    Window and label (8 bytes) in; in generation chance, character and state in, distribution (in float32), character
    and state out.
    """
    weights = weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)
    if phase == "training":
        return element * size.characters * size.length + 8.0 + weights
    return element * (1 + 4 * size.width) + 16.0 + 4.0 * size.characters + weights


WORKLOADS = (
    Workload(
        name="char_rnn",
        title="character-level LSTM",
        family="language",
        item="window",
        items={"generation": "character"},
        paper="Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735; Graves 2013,"
        " https://arxiv.org/abs/1308.0850",
        phases=("training", "generation"),
        sizes={
            "tiny": Size({"characters": 8, "width": 8, "length": 5}, {"cpu": 4, "cuda": 4}),
            "small": Size({"characters": 64, "width": 128, "length": 40}, {"cpu": 32, "cuda": 256}),
            "base": Size({"characters": 96, "width": 512, "length": 100}, {"cpu": 64, "cuda": 1024}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="matrix products; not the gates' arithmetic, softmax, loss, optimizer, nor the window's gradient",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
