"""What implementations in torch share: weights under neutral names and axes, and the golden values of a phase."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from golden_values import Golden, Shape, draw
from torch import nn

STEPS = 2
"""Of a training: the second one needs the optimizer's state and the updated weights."""


@dataclass(frozen=True)
class Weight:
    """A weight with a neutral name."""

    parts: tuple[torch.Tensor, ...]
    """One tensor, or several that are side by side on the last neutral axis."""
    axes: tuple[int, ...] | None = None
    """Order of a part's axes that makes them neutral; None where they are."""

    def neutral(self, parts: Sequence[torch.Tensor]) -> np.ndarray:
        """Return tensors of the parts' layout as one array."""
        turned = [part.detach().permute(self.axes) if self.axes else part.detach() for part in parts]
        return torch.cat(turned, dim=-1).numpy().copy() if len(turned) > 1 else turned[0].numpy().copy()

    def assign(self, array: np.ndarray) -> None:
        """Set the parts."""
        with torch.no_grad():
            for part, own in zip(self.parts, np.split(array, len(self.parts), axis=-1), strict=True):
                part.copy_(torch.from_numpy(own.transpose(np.argsort(self.axes)) if self.axes else own))


@dataclass(frozen=True)
class Reference:
    """An implementation of a workload, in one phase."""

    source: str
    weights: Mapping[str, Weight]
    forward: Callable[..., dict[str, torch.Tensor]]
    """Named inputs -> named outputs, of which a training has `loss`."""


@dataclass(frozen=True)
class Descent:
    """How a training updates its weights."""

    optimizer: Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
    weight_decay: float = 0.0
    """Of kernels; not of vectors: norms and biases."""
    clip_norm: float | None = None

    def start(self, parameters: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
        """Return the optimizer."""
        kernels = [p for p in parameters if p.ndim > 1]
        vectors = [p for p in parameters if p.ndim <= 1]
        groups = [{"params": kernels, "weight_decay": self.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        return self.optimizer([group for group in groups if group["params"]])


def tensors(shapes: Mapping[str, Shape]) -> dict[str, Weight]:
    """Return weights without a module, on neutral axes; all but moving statistics learn."""
    return {
        name: Weight((torch.zeros(tuple(shape), dtype=torch.float64, requires_grad=".moving_" not in name),))
        for name, shape in shapes.items()
    }


def layers(modules: Mapping[str, nn.Module | tuple[nn.Module, ...]]) -> dict[str, Weight]:
    """Return the weights of modules by neutral name; a tuple of dense layers is one of their joint width."""
    weights = {}
    for name, given in modules.items():
        parts = given if isinstance(given, tuple) else (given,)
        for attribute, leaf, axes in _leaves(parts[0]):
            weights[f"{name}.{leaf}"] = Weight(tuple(getattr(part, attribute) for part in parts), axes)
    return weights


def _leaves(module: nn.Module) -> Iterator[tuple[str, str, tuple[int, ...] | None]]:
    match module:
        case nn.Linear():
            yield "weight", "kernel", (1, 0)
        case nn.Conv2d() if module.groups > 1:
            yield "weight", "depthwise_kernel", (2, 3, 0, 1)
        case nn.Conv2d():
            yield "weight", "kernel", (2, 3, 1, 0)
        case nn.LayerNorm() | nn.BatchNorm2d():
            yield "weight", "gamma", None
            yield "bias", "beta", None
        case _:
            raise TypeError(f"no neutral names for the weights of {module}")
    if isinstance(module, nn.BatchNorm2d):
        yield "running_mean", "moving_mean", None
        yield "running_var", "moving_variance", None
    elif not isinstance(module, nn.LayerNorm) and module.bias is not None:
        yield "bias", "bias", None


def channels_first(images: torch.Tensor) -> torch.Tensor:
    """(B, H, W, C) -> (B, C, H, W)."""
    return images.permute(0, 3, 1, 2)


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean of -log softmax(logits)[label]."""
    return (logits.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]).mean()


def _prepared(golden: Golden, reference: Reference) -> tuple[Golden, dict[str, torch.Tensor]]:
    """Set the drawn weights; return the golden values with their shapes, and the inputs."""
    shapes = {name: weight.neutral(weight.parts).shape for name, weight in reference.weights.items()}
    golden = replace(golden, weights=shapes)
    weights, inputs = draw(golden)
    for name, weight in reference.weights.items():
        weight.assign(weights[name])
    return golden, {name: torch.from_numpy(array) for name, array in inputs.items()}


def inference(
    workload: str, reference: Reference, inputs: Mapping[str, Any], factors: Mapping[str, float] | None = None
) -> Golden:
    """Return the outputs of an inference."""
    empty = Golden(workload, "inference", reference.source, factors=factors or {}, inputs=inputs)
    golden, given = _prepared(empty, reference)
    with torch.no_grad():
        outputs = reference.forward(**given)
    return replace(golden, outputs={name: output.numpy() for name, output in outputs.items()})


def training(
    workload: str,
    reference: Reference,
    inputs: Mapping[str, Any],
    descent: Descent,
    factors: Mapping[str, float] | None = None,
) -> Golden:
    """Return the gradients of the first step, the outputs of the last one, and all weights and statistics after it."""
    empty = Golden(workload, "training", reference.source, factors=factors or {}, inputs=inputs, steps=STEPS)
    golden, given = _prepared(empty, reference)
    learning = {name: weight for name, weight in reference.weights.items() if weight.parts[0].requires_grad}
    parameters = [part for weight in learning.values() for part in weight.parts]
    optimizer = descent.start(parameters)
    gradients: dict[str, np.ndarray] = {}
    outputs: dict[str, torch.Tensor] = {}
    for _ in range(STEPS):
        optimizer.zero_grad()
        outputs = reference.forward(**given)
        outputs["loss"].backward()
        gradients = gradients or {n: w.neutral([part.grad for part in w.parts]) for n, w in learning.items()}
        if descent.clip_norm is not None:
            nn.utils.clip_grad_norm_(parameters, descent.clip_norm)
        optimizer.step()
    return replace(
        golden,
        outputs={name: output.detach().numpy() for name, output in outputs.items()},
        gradients=gradients,
        after={name: weight.neutral(weight.parts) for name, weight in reference.weights.items()},
    )
