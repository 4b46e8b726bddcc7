"""FLOPs, parameters and memory traffic of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.workloads.spec import Count, Optimizer, Phase, Size, states


@dataclass(frozen=True)
class Conv:
    """A 2-D convolution with a square window; `edge` is the width of its output."""

    width_in: int
    width: int
    size: int
    edge: int
    groups: int = 1
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Parameters of the kernel and the bias."""
        return self.size**2 * self.width_in // self.groups * self.width + self.bias * self.width

    @property
    def flops(self) -> float:
        """FLOPs of one image forward: two per multiply-add, without bias."""
        return 2.0 * self.size**2 * self.width_in / self.groups * self.width * self.edge**2


@dataclass(frozen=True)
class Dense:
    """A dense layer applied to `rows` vectors of one sample."""

    width_in: int
    width: int
    rows: int = 1
    bias: bool = True

    @property
    def parameters(self) -> int:
        """Parameters of the kernel and the bias."""
        return self.width_in * self.width + self.bias * self.width

    @property
    def flops(self) -> float:
        """FLOPs of one sample forward: two per multiply-add, without bias."""
        return 2.0 * self.width_in * self.width * self.rows


Layer = Conv | Dense


def phase_flops(layers: Sequence[Layer], phase: Phase) -> float:
    """Return the FLOPs of one sample in a phase.

    In training, the backward pass costs twice the forward pass, less the first layer's gradient of its input.
    """
    forward = sum(layer.flops for layer in layers)
    return 3 * forward - layers[0].flops if phase == "training" else forward


def all_trained(total: int) -> Count:
    """Return a count of which every parameter is trainable."""
    return Count(total=total, trainable=total)


def of_response(size: Size, prefill: float, step: float) -> float:
    """Return what a new token of a response takes, from what a prompt token and a step of generation take.

    The first new token comes from the prefill, each other one from a step.
    """
    return float((size.length * prefill + (size.new_tokens - 1) * step) / size.new_tokens)


def weight_bytes(count: Count, phase: Phase, batch: int, optimizer: Optimizer | None, element: int) -> float:
    """Return the compulsory memory traffic of the weights for one sample, bytes.

    Weights are read once a step, at `element` bytes each. In training they are float32 in every precision: trainable
    ones are written too, and the optimizer's state (SGD 0 or 1 numbers per weight, Adam 2) is read and written.
    """
    if phase != "training":
        return float(element * count.total) / batch
    return 4.0 * (count.total + count.trainable * (1 + 2 * states(optimizer))) / batch
