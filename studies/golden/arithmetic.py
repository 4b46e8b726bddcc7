"""Layers in plain arithmetic, on weights (shapes, then tensors) by neutral name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch.nn import functional as F

from studies.golden.torch_reference import Reference, tensors

Tensors = Mapping[str, torch.Tensor]
Shapes = Mapping[str, tuple[int, ...]]
VERSION = f"PyTorch {torch.__version__.partition('+')[0]}"


def reference(source: str, shapes: Shapes, forward: Callable[..., Tensors]) -> Reference:
    """Return the implementation by `forward(weights, **inputs)`."""
    weights = tensors(shapes)
    return Reference(source, weights, partial(forward, {name: weight.parts[0] for name, weight in weights.items()}))


def dense_shapes(name: str, width_in: int, width: int) -> Shapes:
    """Return the shapes of a kernel and a bias."""
    return {f"{name}.kernel": (width_in, width), f"{name}.bias": (width,)}


def conv_shapes(name: str, width_in: int, width: int, edge: int) -> Shapes:
    """Return the shapes of a convolution's kernel and bias."""
    return {f"{name}.kernel": (edge, edge, width_in, width), f"{name}.bias": (width,)}


def norm_shapes(name: str, width: int, leaves: Iterable[str] = ("gamma", "beta")) -> Shapes:
    """Return the shapes of a norm's vectors."""
    return {f"{name}.{leaf}": (width,) for leaf in leaves}


def dense(weights: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Return x W + b."""
    return x @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]


def conv(weights: Tensors, name: str, x: torch.Tensor, stride: int = 1, padding: int | None = None) -> torch.Tensor:
    """Return the convolution of x (B, C, H, W), padded by `padding`, or by half the kernel's edge."""
    kernel = weights[f"{name}.kernel"].permute(3, 2, 0, 1).contiguous()  # from (H, W, in, out)
    padding = kernel.shape[2] // 2 if padding is None else padding
    return F.conv2d(x, kernel, weights.get(f"{name}.bias"), stride, padding)


def relu(x: torch.Tensor) -> torch.Tensor:
    """Return max(x, 0)."""
    return x * (x > 0)


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + torch.exp(-x))


def binary_cross_entropy(logits: torch.Tensor, truth: Any) -> torch.Tensor:
    """Return -t log p - (1 - t) log(1 - p) for each number, with p the sigmoid of a logit."""
    p = sigmoid(logits)
    return -truth * torch.log(p) - (1 - truth) * torch.log(1 - p)
