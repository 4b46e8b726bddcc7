"""Compulsory bytes: by formula, and by the arrays that a step reads and writes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from framework_process import Job, Processes, Result

from joulemark.workloads.dcgan import spec as dcgan
from joulemark.workloads.input_pipeline import spec as input_pipeline
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Adam, Size
from joulemark.workloads.vae import spec as vae
from joulemark.workloads.word2vec import spec as word2vec

WORKLOADS = workloads()

# Traffic beside a step's own inputs, outputs and all its weights, bytes a step: an encoder or a discriminator that
# generation does not read; the token, the image, the state and the cache that it does; the images that a pipeline
# reads.
UNSEEN_BYTES: dict[tuple[str, str], Callable[[Size], float]] = {
    ("vae", "generation"): lambda size: -4.0 * sum(layer.parameters for layer in vae.encoder(size)),
    ("dcgan", "generation"): lambda size: -4.0 * dcgan.discriminator_parameters(size),
    # keys and values, 2 * 2 * 16 numbers a token, of 8 tokens written; of 1 written and 8 + (0 + 1 + 2 + 3) / 4 read
    ("gpt2", "prefill"): lambda _size: 2 * 4 * 64 * 8.0,
    ("gpt2", "generation"): lambda _size: 2 * (8 + 4 * 64 * (1 + 9.5)),
    # keys and values, 2 * 2 * 2 heads * 4 numbers a token: as above
    **{(workload, "prefill"): lambda _size: 2 * 4 * 32 * 8.0 for workload in ("llama", "moe")},
    **{(workload, "generation"): lambda _size: 2 * (8 + 4 * 32 * (1 + 9.5)) for workload in ("llama", "moe")},
    # less an encoder of 2 * 2224 numbers, and keys and values of its output, 2 * 2 * 272; a source of 6, and 2 earlier
    ("transformer", "generation"): lambda _size: 3 * (8 + 4 * 64 * (1 + 2 + 6.0)) - 4 * (4448 + 1088),
    ("char_rnn", "generation"): lambda _size: 4 * (8 + 4 * 4 * 8.0),
    ("ddpm", "generation"): lambda _size: 2 * 4 * 3 * 8 * 8.0,
    ("input_pipeline", "inference"): lambda _size: 4 * 3 * 8 * 8.0,
    ("input_pipeline.jpeg", "inference"): lambda _size: 4 * input_pipeline.FILE_BYTES * 24 * 24,
    # the rows that a step looks up instead of all: test_sparse.py counts them
    ("word2vec", "training"): lambda size: 2 * 4.0 * (round(word2vec.rows(size, 4) * 8) - 2 * 20 * 8),
    **{
        (f"seq2seq.{kind}", "forward"): lambda size: 4.0 * size.width * unread_rows(size)
        for kind in ("global", "local")
    },
    # a row, twice the states attended to, and the decoder's own, in and out; less embeddings, encoder and score
    **{
        (f"seq2seq.{kind}", "generation"): lambda _size, seen=seen: (
            3 * (8 + 4 * 8 * (1 + 2 * seen + 4.0)) - 4 * (192 + 544 + 64)
        )
        for kind, seen in (("global", 6), ("local", 5))
    },
}


def unread_rows(size: Size) -> int:
    """Rows looked up in a step's two embeddings, less all that they have."""
    return size.batch_size["cpu"] * (size.source + size.target) - 2 * size.vocabulary


def _step_bytes(workload: str, phase: str, built: Result) -> float:
    """Compulsory bytes of one step, counted from the arrays themselves: inputs and outputs once, weights once, those
    that learn twice, and the optimizer's numbers twice. Single numbers, such as a loss, are left out."""
    spec = WORKLOADS[workload]
    size = spec.sizes["tiny"]
    arrays = [
        *spec.inputs(size, phase, size.batch_size["cpu"], np.random.default_rng(1)).values(),
        *(array for array in built.first.values() if array.ndim),
    ]
    # numbers at 4 bytes, complex ones and whole ones at 8
    moved = sum(array.size * (4 if array.dtype.kind == "f" else 8) for array in arrays)
    weights = {name: w.size for name, w in built.before.items() if ".moving_" not in f".{name}"}
    numbers = sum(weights.values())
    if phase == "training" and spec.optimizer:
        states = 2 if isinstance(spec.optimizer, Adam) else int(spec.optimizer.momentum > 0)
        numbers += sum(weights[name] for name in built.trainable) * (1 + 2 * states)
    return moved + 4.0 * numbers


@pytest.mark.parametrize(
    ("workload", "phase"), [(w.id, phase) for w in WORKLOADS.values() for phase in w.stepped_phases]
)
def test_bytes_agree_with_the_arrays_of_a_step(processes: Processes, workload: str, phase: str) -> None:
    spec = WORKLOADS[workload]
    size = spec.sizes["tiny"]
    batch = size.batch_size["cpu"]
    counted = _step_bytes(workload, phase, processes.run(Job("pytorch", workload, phase)))
    unseen = UNSEEN_BYTES[workload, phase](size) if (workload, phase) in UNSEEN_BYTES else 0.0
    formula = spec.bytes(size, phase, batch, 4) * batch * spec.items_per_sample(size, phase)
    assert math.isclose(formula, counted + unseen, rel_tol=1e-9)


def parameters(workload: str) -> int:
    """Return the parameters of size `tiny`."""
    return WORKLOADS[workload].parameters(WORKLOADS[workload].sizes["tiny"]).total


@pytest.mark.parametrize(
    ("workload", "phase", "batch", "numbers"),
    [
        ("matmul", "inference", 1, 3 * 64**2),  # all there is
        ("mlp", "inference", 8, 784 + 10 + parameters("mlp") / 8),  # an image in, logits out, the weights
        ("mlp", "training", 8, 784),  # the weights stay in float32
        ("gpt2", "generation", 2, 40 + 64 * (1 + 9.5) + parameters("gpt2") / 2),  # logits, the cache, the weights
        ("word2vec", "training", 4, 0),  # word numbers and weights alone
    ],
)
def test_half_the_width_halves_all_but_weights_in_training(workload: str, phase: str, batch: int, numbers: int) -> None:
    spec = WORKLOADS[workload]
    size = spec.sizes["tiny"]
    assert spec.bytes(size, phase, batch, 4) - spec.bytes(size, phase, batch, 2) == pytest.approx(2 * numbers)
