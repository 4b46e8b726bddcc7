"""Input pipeline of an image classifier, on the host: random crop, random flip, normalisation and batching.

By PyTorch's DataLoader and TensorFlow's tf.data with the same number of workers. Crops and flips are drawn once by
numpy: both frameworks return equal images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from joulemark.workloads.spec import Arrays, Phase, Size, Workload

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's channels, as every tutorial has them."""


@dataclass(frozen=True)
class Dataset:
    """Decoded images in memory, with the crop and flip of each."""

    images: np.ndarray
    """(N, edge, edge, 3) uint8."""
    corners: np.ndarray
    """(N, 2) int32: top and left of the crop."""
    flips: np.ndarray
    """(N,) bool: mirrored left to right."""


def dataset(size: Size, seed: int) -> Dataset:
    """Return a data set of random bytes."""
    generator = np.random.default_rng(seed)
    return Dataset(
        images=generator.integers(0, 256, (size.images, size.edge, size.edge, 3), np.uint8),
        corners=generator.integers(0, size.edge - size.crop + 1, (size.images, 2), np.int32),
        flips=generator.random(size.images) < 0.5,
    )


def inputs(_size: Size, _phase: Phase, _batch: int, _generator: np.random.Generator) -> Arrays:
    """Return no inputs: the pipeline reads its own data set, batch after batch, without end."""
    return {}


WORKLOADS = (
    Workload(
        name="input_pipeline",
        title="crop, flip, normalise, batch",
        family="data",
        item="image",
        paper="Krizhevsky et al. 2012, section 4.1, https://doi.org/10.1145/3065386",
        phases=("inference",),
        sizes={
            "tiny": Size({"images": 16, "edge": 10, "crop": 8, "workers": 1}, {"cpu": 4, "cuda": 4}),
            "small": Size({"images": 512, "edge": 72, "crop": 64, "workers": 2}, {"cpu": 64, "cuda": 64}),
            "base": Size({"images": 512, "edge": 256, "crop": 224, "workers": 4}, {"cpu": 64, "cuda": 256}),
        },
        inputs=inputs,
        flops=lambda size, _phase: 2.0 * 3 * size.crop**2,
        flops_note="one subtraction and one product a number",
        bytes=lambda size, _phase, _batch, _element: (1.0 + 4.0) * 3 * size.crop**2,
        precisions=("fp32",),
        compiles=False,
        devices=("cpu",),
    ),
)
