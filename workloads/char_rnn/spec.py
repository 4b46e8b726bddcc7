"""Character-level LSTM on one-hot characters, many to one: the next character after a window. Generation samples it
from the softmax with a random number that is drawn once, as input."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, weight_bytes
from joulemark.workloads.initial import glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=0.002)
INITIAL = glorot


def gates(size: Size) -> tuple[Dense, Dense]:
    """Return the cell's two products of one sequence: with the input (and the bias), and with the state."""
    return (
        Dense(size.characters, 4 * size.width, size.length),
        Dense(size.width, 4 * size.width, size.length, bias=False),
    )


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return window (B, T, characters), one-hot; in training labels (B,), in generation chance (B, 1), uniform."""
    window = np.eye(size.characters, dtype=np.float32)[generator.integers(0, size.characters, (batch, size.length))]
    if phase == "training":
        return {"window": window, "labels": generator.integers(0, size.characters, batch)}
    return {"window": window, "chance": generator.random((batch, 1), np.float32)}


def parameters(size: Size) -> Count:
    """Count cell with one bias, classifier."""
    head = Dense(size.width, size.characters)
    return all_trained(sum(gate.parameters for gate in gates(size)) + head.parameters)


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one item: products with input, state and classifier.

    Backward twice that, but for the gradient of the input.
    """
    read, recur = gates(size)
    head = Dense(size.width, size.characters)
    forward = read.flops + recur.flops + head.flops
    return 3 * forward - read.flops if phase == "training" else forward


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: window in.

    Label in (8 bytes) or, in generation, chance in, distribution and character (8 bytes) out; weights.
    """
    result_bytes = 8.0 if phase == "training" else element * (1 + size.characters) + 8.0
    return (
        element * size.characters * size.length + result_bytes + weight_bytes(parameters(size), phase, batch, OPTIMIZER)
    )


WORKLOADS = (
    Workload(
        name="char_rnn",
        title="character-level LSTM",
        family="language",
        item="window",
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
