"""Input pipeline of an image classifier, on the host: random crop, random flip, normalisation and batching.

By PyTorch's DataLoader, TensorFlow's tf.data and Grain for JAX with the same number of workers. Crops and flips are
drawn once by numpy: all return equal images. Variant `jpeg` decodes its images first, by Pillow or by tf.io.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from joulemark.workloads.spec import Arrays, Phase, Size, Workload

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's channels, as every tutorial has them."""
FILE_BYTES = 0.65
"""Of a JPEG file for each pixel, at quality 90: of the images made here; ImageNet has 110 KB for 469 x 387 pixels."""


@dataclass(frozen=True)
class Dataset:
    """Images in memory, with the crop and flip of each."""

    images: np.ndarray
    """(N, edge, edge, 3) uint8. Variant `jpeg` encodes them once, and keeps the files in memory."""
    corners: np.ndarray
    """(N, 2) int32: top and left of the crop."""
    flips: np.ndarray
    """(N,) bool: mirrored left to right."""


def dataset(size: Size, seed: int) -> Dataset:
    """Return a data set of random bytes, or of images whose files are as large as a photograph's."""
    generator = np.random.default_rng(seed)
    shape = (size.images, size.edge, size.edge, 3)
    return Dataset(
        images=scenes(shape, generator) if decodes(size) else generator.integers(0, 256, shape, np.uint8),
        corners=generator.integers(0, size.edge - size.crop + 1, (size.images, 2), np.int32),
        flips=generator.random(size.images) < 0.5,
    )


def decodes(size: Size) -> bool:
    """Return whether the images of a size are JPEG files."""
    return "quality" in size.hyper


def scenes(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Return images (N, edge, edge, 3) uint8 of noise whose amplitude falls with the frequency, as photographs' does.

    Field 1987, https://doi.org/10.1364/JOSAA.4.002379. What the channels share is three times what each has alone.
    """
    count, edge, _, _ = shape
    frequency = np.hypot(np.fft.fftfreq(edge)[:, None], np.fft.rfftfreq(edge))
    frequency[0, 0] = np.inf  # no mean
    spectra = np.fft.rfft2(generator.standard_normal((count, 4, edge, edge), np.float32)) / frequency
    planes = np.fft.irfft2(spectra, (edge, edge))
    planes /= planes.std((2, 3), keepdims=True)
    images = 128 + 50 * planes[:, :1] + 50 / 3 * planes[:, 1:]
    return images.clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


def inputs(_size: Size, _phase: Phase, _batch: int, _generator: np.random.Generator) -> Arrays:
    """Return no inputs: the pipeline reads its own data set, batch after batch, without end."""
    return {}


def traffic(size: Size, _phase: Phase, _batch: int, _element: int) -> float:
    """Return the compulsory bytes of one image: its crop or, to be decoded, its file in, and float32 numbers out."""
    read = FILE_BYTES * size.edge**2 if decodes(size) else 3.0 * size.crop**2
    return read + 4.0 * 3 * size.crop**2


def _workload(variant: str | None, title: str, paper: str, flops_note: str, sizes: dict[str, Size]) -> Workload:
    return Workload(
        name="input_pipeline",
        variant=variant,
        title=title,
        family="data",
        item="image",
        paper=paper,
        phases=("inference",),
        sizes=sizes,
        inputs=inputs,
        flops=lambda size, _phase: 2.0 * 3 * size.crop**2,
        flops_note=flops_note,
        bytes=traffic,
        precisions=("fp32",),
        compiles=False,
        devices=("cpu",),
    )


def _jpeg(images: int, edge: int, crop: int, batch: dict[str, int]) -> Size:
    hyper: dict[str, Any] = {"images": images, "edge": edge, "crop": crop, "quality": 90}
    return Size(hyper, batch)


WORKLOADS = (
    _workload(
        None,
        "crop, flip, normalise, batch",
        "Krizhevsky et al. 2012, section 4.1, https://doi.org/10.1145/3065386",
        "one subtraction and one product a number",
        {
            "tiny": Size({"images": 16, "edge": 10, "crop": 8, "workers": 1}, {"cpu": 4, "cuda": 4}),
            "small": Size({"images": 512, "edge": 72, "crop": 64, "workers": 2}, {"cpu": 64, "cuda": 64}),
            "base": Size({"images": 512, "edge": 256, "crop": 224, "workers": 4}, {"cpu": 64, "cuda": 256}),
        },
    ),
    _workload(
        "jpeg",
        "decode JPEG, crop, flip, normalise, batch",
        "Wallace 1991, https://doi.org/10.1145/103085.103089",
        "one subtraction and one product a number; not the decoding",
        {
            "tiny": _jpeg(16, 24, 16, {"cpu": 4, "cuda": 4}),
            "small": _jpeg(64, 256, 224, {"cpu": 32, "cuda": 32}),
            "base": _jpeg(64, 400, 224, {"cpu": 64, "cuda": 256}),  # about the pixels of ImageNet's mean image
        },
    ),
)
