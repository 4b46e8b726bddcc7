"""Initialisation of all parameters of ResNet-50 by each framework's own initialiser."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.counting import Conv
from joulemark.workloads.resnet50 import spec as resnet50
from joulemark.workloads.spec import Arrays, Phase, Size, Workload

_PAPERS = {
    "he": "He et al. 2015, https://arxiv.org/abs/1502.01852",
    "glorot": "Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html",
}


def shapes(size: Size) -> dict[str, tuple[int, ...]]:
    """Return the shapes of ResNet-50's kernels by name, on neutral axes: (height, width, in, out) or (in, out)."""
    parts: dict[str, tuple[int, ...]] = {}
    for index, layer in enumerate(resnet50.layers(size)):
        window = (layer.size, layer.size) if isinstance(layer, Conv) else ()
        parts[f"kernel{index}"] = (*window, layer.width_in, layer.width)
    return parts


def inputs(_size: Size, _phase: Phase, _batch: int, _generator: np.random.Generator) -> Arrays:
    """Return no inputs: the framework holds the state of the generator."""
    return {}


def numbers(size: Size) -> int:
    """Return the count of numbers drawn in a step."""
    return sum(int(np.prod(shape)) for shape in shapes(size).values())


def _workload(rule: str) -> Workload:
    sizes = {name: resnet50.WORKLOADS[0].sizes[name] for name in ("tiny", "base")}
    half = {**sizes["base"].hyper, "stem": 32}
    return Workload(
        name="initialization",
        variant=rule,
        title=f"{rule} initialisation of ResNet-50",
        family="layers",
        item="network",
        paper=_PAPERS[rule],
        phases=("inference",),
        sizes={
            name: Size({**hyper, "rule": rule}, {"cpu": 1, "cuda": 1})
            for name, hyper in (("tiny", sizes["tiny"].hyper), ("small", half), ("base", sizes["base"].hyper))
        },
        inputs=inputs,
        batched=False,
        flops=lambda size, _phase: float(numbers(size)),
        flops_note="one a number drawn (its scaling); the generator's integer work is none",
        bytes=lambda size, _phase, _batch, _element: 4.0 * numbers(size),
        precisions=("fp32",),
        substitutes={
            "kernel*": "the generators differ: mean and variance of each kernel are the rule's, within sampling error"
        },
    )


WORKLOADS = tuple(_workload(rule) for rule in _PAPERS)
