"""Skip-gram with negative sampling (Mikolov et al. 2013). The negative samples are drawn once, as inputs; the words'
frequencies fall as Zipf's law has it, and negatives as the 3/4 power of them (section 2.2)."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import all_trained, weight_bytes
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Arrays, Count, Phase, Sgd, Size, Workload

OPTIMIZER = Sgd(learning_rate=1.0)
INITIAL = normal(0.1)


def inputs(size: Size, _phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return centres (B,), contexts (B, 1), negatives (B, K): numbers of words."""
    in_text, as_negative = probabilities(size)
    return {
        "centres": generator.choice(size.vocabulary, batch, p=in_text),
        "contexts": generator.choice(size.vocabulary, (batch, 1), p=in_text),
        "negatives": generator.choice(size.vocabulary, (batch, size.negatives), p=as_negative),
    }


def probabilities(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return each word's probability in the text, and as a negative."""
    frequency = 1.0 / np.arange(1, size.vocabulary + 1)
    sampled = frequency**0.75
    return frequency / frequency.sum(), sampled / sampled.sum()


def rows(size: Size, batch: int) -> float:
    """Return the expected number of rows of both tables that a step looks up, each counted once."""
    in_text, as_negative = probabilities(size)
    centres = 1 - (1 - in_text) ** batch
    others = 1 - (1 - in_text) ** batch * (1 - as_negative) ** (batch * size.negatives)
    return float(centres.sum() + others.sum())


def parameters(size: Size) -> Count:
    """Count A vector a word as centre, one as context."""
    return all_trained(2 * size.vocabulary * size.width)


def flops(size: Size, _phase: Phase) -> float:
    """Return the FLOPs of one item: products of the centre with context and negatives, and backward twice that."""
    return 3 * 2.0 * size.width * (1 + size.negatives)


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: word numbers in (8 bytes each), and the rows that a step looks up.

    Gradients are sparse: the other rows are neither read nor written.
    """
    touched = all_trained(round(rows(size, batch) * size.width))
    return 8.0 * (2 + size.negatives) + weight_bytes(touched, phase, batch, OPTIMIZER, element)


WORKLOADS = (
    Workload(
        name="word2vec",
        title="skip-gram with negative sampling",
        family="language",
        item="pair",
        paper="Mikolov et al. 2013, https://arxiv.org/abs/1310.4546",
        phases=("training",),
        sizes={
            "tiny": Size({"vocabulary": 20, "width": 8, "negatives": 3}, {"cpu": 4, "cuda": 4}),
            "small": Size({"vocabulary": 10000, "width": 128, "negatives": 5}, {"cpu": 512, "cuda": 8192}),
            "base": Size({"vocabulary": 100000, "width": 300, "negatives": 5}, {"cpu": 4096, "cuda": 65536}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="dot products; not look-ups, sigmoids, loss, optimizer",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
)
