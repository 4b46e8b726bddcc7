"""Deep autoencoder (Hinton and Salakhutdinov 2006), 784-1000-500-250-30 and back, on MNIST-shaped images.

Variants: plain, denoising (Vincent et al. 2010; Gaussian noise) and inpainting (Pathak et al. 2016). Adam trains all
layers at once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from joulemark.workloads.counting import Dense, all_trained, phase_flops, weight_bytes
from joulemark.workloads.initial import glorot
from joulemark.workloads.spec import Adam, Arrays, Count, Phase, Size, Workload

EDGE = 28
PIXELS = EDGE**2
NOISE = 0.3
"""Standard deviation of the noise to take away."""
OPTIMIZER = Adam(learning_rate=0.001)
INITIAL = glorot


def layers(size: Size) -> list[Dense]:
    """Return the layers down to the code and up again."""
    down = (PIXELS, *size.widths)
    return [Dense(i, o) for i, o in pairwise((*down, *down[-2::-1]))]


def inputs(size: Size, _phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return images (B, 784) in [0, 1].

    For the variants the `noise` to add (B, 784), or the `mask` that is 0 in the hole.
    """
    arrays = {"images": generator.random((batch, PIXELS), np.float32)}
    if size.task == "denoising":
        arrays["noise"] = generator.standard_normal((batch, PIXELS), np.float32)
    if size.task == "inpainting":
        mask = np.ones((batch, EDGE, EDGE), np.float32)
        for image, (top, left) in zip(mask, generator.integers(0, EDGE // 2, (batch, 2)), strict=True):
            image[top : top + EDGE // 2, left : left + EDGE // 2] = 0
        arrays["mask"] = mask.reshape(batch, PIXELS)
    return arrays


def parameters(size: Size) -> Count:
    """Count kernels and biases."""
    return all_trained(sum(layer.parameters for layer in layers(size)))


def traffic(size: Size, phase: Phase, batch: int, element: int) -> float:
    """Return the compulsory bytes of one item: image in, and noise or mask; image out; weights."""
    images = (1 if size.task == "plain" else 2) + (phase == "inference")
    return element * images * PIXELS + weight_bytes(parameters(size), phase, batch, OPTIMIZER, element)


def _workload(task: str, title: str, paper: str) -> Workload:
    def size(widths: tuple[int, ...], cpu: int, cuda: int) -> Size:
        return Size({"widths": widths, "task": task}, {"cpu": cpu, "cuda": cuda})

    full = (1000, 500, 250, 30)
    return Workload(
        name="autoencoder",
        variant=None if task == "plain" else task,
        title=title,
        family="generative",
        item="image",
        paper=paper,
        phases=("inference", "training"),
        sizes={"tiny": size((16, 4), 4, 4), "small": size(full, 64, 256), "base": size(full, 256, 4096)},
        inputs=inputs,
        flops=lambda size, phase: phase_flops(layers(size), phase),
        flops_note="matrix products; not biases, sigmoid, loss, optimizer, nor the gradient of the images",
        bytes=traffic,
        parameters=parameters,
        optimizer=OPTIMIZER,
        decreasing_output="loss",
    )


_HINTON = "Hinton and Salakhutdinov 2006, https://doi.org/10.1126/science.1127647"
_VINCENT = "Vincent et al. 2010, https://jmlr.org/papers/v11/vincent10a.html"
_PATHAK = "Pathak et al. 2016, https://arxiv.org/abs/1604.07379"
WORKLOADS = (
    _workload("plain", "deep autoencoder", _HINTON),
    _workload("denoising", "denoising autoencoder", f"{_VINCENT}; {_HINTON}"),
    _workload("inpainting", "inpainting autoencoder", f"{_PATHAK}; {_HINTON}"),
)
