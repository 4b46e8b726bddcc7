"""Llama (Touvron et al. 2023) in the shapes of Llama 3: norms by the root mean square, rotated queries and keys, fewer
heads of keys than of queries, and a gated MLP. Training on next tokens, prefill of a prompt, greedy generation with a
cache of keys and values, and both as a response: as gpt2, whose inputs it has. `base` is Llama 3.2 1B, without its
scaling of frequencies for long texts, and `gpu` Llama 3 8B. AdamW at a constant rate.

The variant `lora` (Hu et al. 2022) trains two thin layers beside each projection, and nothing else."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, of_response, weight_bytes
from joulemark.workloads.gpt2.spec import inputs, items, places
from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Adam, Count, Phase, Size, Workload

OPTIMIZER = Adam(learning_rate=3e-4, beta_2=0.95, weight_decay=0.1, clip_norm=1.0)
"""Touvron et al. 2023, section 2.3."""
LORA_OPTIMIZER = Adam(learning_rate=2e-4, weight_decay=0.01)
"""Hu et al. 2022, appendix D.3."""
INITIAL = normal(0.02)
"""Of the second thin layer too, which the paper starts at zero: the first one would learn nothing until it has moved,
and a trial moves nothing."""
EPSILON = 1e-5
BASE = 500_000.0
"""Of the rotation's wavelengths: Llama 3's."""
SCALE = 2.0
"""What LoRA's layers are multiplied by: the paper's alpha / r."""


def attention(size: Size) -> list[Dense]:
    """Return the projections to queries, keys, values and the output, for one token."""
    keys = size.kv_heads * size.width // size.heads
    widths = [(size.width, size.width), (size.width, keys), (size.width, keys), (size.width, size.width)]
    return [Dense(*each, bias=False) for each in widths]


def mlp(size: Size) -> list[Dense]:
    """Return the projections to the gate, up and down, for one token."""
    widths = [(size.width, size.inner), (size.width, size.inner), (size.inner, size.width)]
    return [Dense(*each, bias=False) for each in widths]


def thin(size: Size, projections: list[Dense]) -> list[Dense]:
    """Return LoRA's layers beside the projections, two for each."""
    pairs = [((layer.width_in, size.rank), (size.rank, layer.width)) for layer in projections]
    return [Dense(*each, bias=False) for pair in pairs for each in pair]


def around(size: Size) -> int:
    """Count what is not in the blocks: token embedding, last norm, and an output layer that is not the embedding."""
    return int(size.vocabulary * size.width * (1 if size.tied else 2) + size.width)


def parameters(size: Size) -> Count:
    """Count embeddings and norms, and the projections; of LoRA, whose layers alone are trained, those too."""
    projections = [*attention(size), *mlp(size)]
    own = around(size) + size.depth * (sum(layer.parameters for layer in projections) + 2 * size.width)
    if size.rank is None:
        return all_trained(own)
    added = size.depth * sum(layer.parameters for layer in thin(size, projections))
    return Count(total=own + added, trainable=added)


def rotation(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return what a head, and the same with its halves swapped, are multiplied by at each place, (places, D) each.

    Su et al. 2021, equation 34, for pairs of numbers half a head apart.
    """
    pairs = size.width // size.heads // 2
    angles = np.arange(places(size))[:, None] * BASE ** -(np.arange(pairs) / pairs)  # (places, D / 2)
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([cos, cos], 1), np.concatenate([-sin, sin], 1)


def forward_parts(size: Size, phase: Phase, projections: list[Dense]) -> tuple[float, float, float]:
    """Return the FLOPs of a sample forward: of projections, of scores and their sums, of the output layer.

    Of a prompt, only the last token goes through the output layer.
    """
    rows, keys, predicted = size.length, size.length, size.length if phase == "training" else 1
    if phase == "generation":
        rows, keys, predicted = 1, places(size), 1
    layers = size.depth * rows * sum(layer.flops for layer in projections)
    scores = size.depth * rows * 4.0 * keys * size.width
    return layers, scores, predicted * Dense(size.width, size.vocabulary).flops


def flops(size: Size, phase: Phase) -> float:
    """Return the FLOPs of one token."""
    if phase == "response":
        return of_response(size, flops(size, "prefill"), flops(size, "generation"))
    projections = [*attention(size), *mlp(size)]
    layers, scores, output = forward_parts(size, phase, projections)
    if size.rank is not None:
        return lora_flops(size, layers, scores, output) / items(size, phase)
    return (3 if phase == "training" else 1) * (layers + scores + output) / items(size, phase)


def lora_flops(size: Size, layers: float, scores: float, output: float) -> float:
    """Return the FLOPs of one sample in training.

    Backward, what is frozen has the gradient of its input alone; what reads the frozen embedding, in the first block,
    has none of its input.
    """
    added = forward_parts(size, "training", thin(size, [*attention(size), *mlp(size)]))[0]
    readers = attention(size)[:3]
    firsts = [*readers, *thin(size, readers)[::2]]
    return 2 * (layers + output) + 3 * (added + scores) - size.length * sum(layer.flops for layer in firsts)


def kept_numbers(size: Size, count: float) -> float:
    """Return the numbers of the keys and values of `count` places of one sample."""
    return 2.0 * size.depth * size.kv_heads * (size.width // size.heads) * count


def kept_bytes(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the bytes of the keys and values of all places; in training, of what the backward pass reads at least."""
    if phase == "training":
        keys = size.kv_heads * size.width // size.heads
        # Inputs of both norms and what they return; queries, keys, values and their mixture; gate, up, their product.
        numbers = size.depth * (6 * size.width + 2 * keys + 3 * size.inner * size.hyper.get("chosen", 1))
        # The logarithms of all words' odds and the logits' gradient, in float32.
        return batch * size.length * (element * numbers + 2 * 4.0 * size.vocabulary)
    return element * batch * kept_numbers(size, places(size))


def data_bytes(size: Size, phase: Phase, element: int) -> float:
    """Return the compulsory bytes of one sample but for weights, as gpt2's: tokens, logits, and the cache."""
    numbers = 8.0 * (2 if phase == "training" else 1) * items(size, phase)
    if phase == "training":
        return numbers
    kept = 1 + size.length + (size.new_tokens - 1) / 2 if phase == "generation" else size.length
    return numbers + element * (size.vocabulary + kept_numbers(size, kept)) + 8.0


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one token: its share of what a sample moves, and of the weights."""
    if phase == "response":
        return of_response(size, *(traffic(size, part, batch, element) for part in ("prefill", "generation")))
    weights = read_bytes(size, phase, batch, element, parameters(size))
    return (data_bytes(size, phase, element) + weights) / items(size, phase)


def read_bytes(size: Size, phase: Phase, batch: int, element: int, count: Count) -> float:
    """Return a sample's share of the bytes of weights; of an embedding that is not the output layer, the rows read."""
    weights = weight_bytes(count, phase, batch, OPTIMIZER, element)
    if size.tied or phase == "training":
        return weights
    unread = max(0, size.vocabulary - batch * items(size, phase))
    return weights - element * unread * size.width / batch


_TINY = {
    "vocabulary": 40,
    "width": 16,
    "depth": 2,
    "heads": 4,
    "kv_heads": 2,
    "inner": 24,
    "context": 16,
    "length": 8,
    "new_tokens": 4,
    "tied": True,
    "rank": None,
}
_SMALL = {
    "vocabulary": 32_000,
    "width": 512,
    "depth": 8,
    "heads": 8,
    "kv_heads": 2,
    "inner": 1536,
    "context": 2048,
    "length": 128,
    "new_tokens": 64,
    "tied": True,
    "rank": None,
}
_1B = {
    "vocabulary": 128_256,
    "width": 2048,
    "depth": 16,
    "heads": 32,
    "kv_heads": 8,
    "inner": 8192,
    "context": 8192,
    "length": 512,
    "new_tokens": 128,
    "tied": True,
    "rank": None,
}
_8B = {**_1B, "width": 4096, "depth": 32, "inner": 14_336, "tied": False}
SIZES = {
    "tiny": Size(_TINY, {"cpu": 2, "cuda": 2}),
    "small": Size(_SMALL, {"cpu": 1, "cuda": 64}),
    "base": Size(_1B, {"cpu": 1, "cuda": 16}),
    "gpu": Size(_8B, {"cpu": 1, "cuda": 16}),
}
NOTE = "matrix products; not look-ups, rotation, softmax, norms, gates, loss, optimizer; masked scores count"
LORA_NOTE = NOTE + "; gradients of frozen layers, and of what is before the first thin one, are not computed"


def with_lora(name: str, size: Size) -> Size:
    """Return the size with LoRA's layers: of rank 16, but thinner where all is."""
    return Size({**size.hyper, "rank": 2 if name == "tiny" else 16}, size.batch_size)


WORKLOADS = (
    Workload(
        name="llama",
        title="Llama 3.2 1B",
        family="language",
        item="token",
        paper="Touvron et al. 2023, https://arxiv.org/abs/2302.13971; Dubey et al. 2024, https://arxiv.org/abs/2407.21783",
        phases=("prefill", "training", "generation", "response"),
        sizes=SIZES,
        inputs=inputs,
        flops=flops,
        flops_note=NOTE,
        bytes=traffic,
        parameters=parameters,
        kept_bytes=kept_bytes,
        items_per_sample=items,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    ),
    Workload(
        name="llama",
        variant="lora",
        title="Llama 3.2 1B, LoRA of rank 16 on all projections",
        family="language",
        item="token",
        paper="Hu et al. 2022, https://arxiv.org/abs/2106.09685",
        phases=("training",),
        sizes={name: with_lora(name, size) for name, size in SIZES.items()},
        inputs=inputs,
        flops=flops,
        flops_note=LORA_NOTE,
        bytes=traffic,
        parameters=parameters,
        kept_bytes=kept_bytes,
        items_per_sample=items,
        optimizer=LORA_OPTIMIZER,
        decreasing_output="loss",
    ),
)
