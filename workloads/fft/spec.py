"""Convolution of images by Fourier transform: transform, product with a transfer function, inverse transform."""

from __future__ import annotations

import math

import numpy as np

from joulemark.workloads.spec import Arrays, Phase, Size, Workload


def inputs(size: Size, _phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return images (B, n, n) and transfer (n, n), complex standard normal."""

    def normal(*shape: int) -> np.ndarray:
        real, imaginary = generator.standard_normal((2, *shape), np.float32)
        return (real + 1j * imaginary).astype(np.complex64)

    return {"images": normal(batch, size.n, size.n), "transfer": normal(size.n, size.n)}


def flops(size: Size, _phase: Phase) -> float:
    """Return the FLOPs of one item.

    5 N log2 N a transform of N points (FFTW's convention), twice, and 6 a complex product.
    """
    points = size.n**2
    return 2 * 5.0 * points * math.log2(points) + 6.0 * points


WORKLOADS = (
    Workload(
        name="fft",
        title="2-D FFT and inverse",
        family="kernels",
        item="image",
        paper="Frigo and Johnson 2005, https://doi.org/10.1109/JPROC.2004.840301",
        phases=("inference",),
        sizes={
            "tiny": Size({"n": 16}, {"cpu": 2, "cuda": 2}),
            "small": Size({"n": 512}, {"cpu": 4, "cuda": 32}),
            "base": Size({"n": 1024}, {"cpu": 16, "cuda": 128}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="by FFTW's convention, which counts a radix-2 transform whatever the library does",
        bytes=lambda size, _phase, batch, _element: 8.0 * size.n**2 * (2 + 1 / batch),
        precisions=("fp32",),
    ),
)
