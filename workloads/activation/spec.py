"""Activation functions over a large tensor, forward and backward."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Arrays, Phase, Size, Workload

_PAPERS = {
    "relu": "Nair and Hinton 2010, https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf",
    "leaky_relu": "Maas et al. 2013, https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf",
    "gelu": "Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415, by the error function",
    "sigmoid": "Cybenko 1989, https://doi.org/10.1007/BF02551274",
    "tanh": "LeCun et al. 1998, https://doi.org/10.1007/3-540-49430-8_2",
}
SLOPE = 0.01
"""Of the leaky ReLU below zero, as in the paper; Keras's default is 0.3."""


def inputs(size: Size, phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return x (B, width); in training also the gradient of the output, `upstream` (B, width). Standard normal."""
    names = ("x", "upstream") if phase == "training" else ("x",)
    return {name: generator.standard_normal((batch, size.width), np.float32) for name in names}


def _workload(function: str) -> Workload:
    def size(width: int, cpu: int, cuda: int) -> Size:
        return Size({"width": width, "function": function}, {"cpu": cpu, "cuda": cuda})

    return Workload(
        name="activation",
        variant=function,
        title=f"{function}, elementwise",
        family="layers",
        item="row",
        paper=_PAPERS[function],
        phases=("inference", "training"),
        sizes={
            "tiny": size(2**8, 4, 4),
            "small": size(2**20, 4, 16),
            "base": size(2**20, 16, 256),
        },
        inputs=inputs,
        flops=lambda size, phase: (3.0 if phase == "training" else 1.0) * size.width,
        flops_note="one an element forward and two backward, whatever the function costs",
        bytes=lambda size, phase, _batch, element: element * (4 if phase == "training" else 2) * size.width,
    )


WORKLOADS = tuple(_workload(function) for function in _PAPERS)
