"""What formulas of FLOPs, parameters and bytes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.workloads.spec import Adam, Count, Optimizer, Phase


@dataclass(frozen=True)
class Conv:
    """A 2-D convolution with a square window; `edge` is that of its output."""

    width_in: int
    width: int
    size: int
    edge: int
    groups: int = 1
    bias: bool = False

    @property
    def parameters(self) -> int:
        """Kernel, and bias if it has one."""
        return self.size**2 * self.width_in // self.groups * self.width + self.bias * self.width

    @property
    def flops(self) -> float:
        """Of one image forward, two a multiply-add, bias left out."""
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
        """Kernel, and bias if it has one."""
        return self.width_in * self.width + self.bias * self.width

    @property
    def flops(self) -> float:
        """Of one sample forward, two a multiply-add, bias left out."""
        return 2.0 * self.width_in * self.width * self.rows


Layer = Conv | Dense


def phase_flops(layers: Sequence[Layer], phase: Phase) -> float:
    """Forward; in training also backward, which costs each layer twice that, but for the first, whose inputs are data
    and need no gradient."""
    forward = sum(layer.flops for layer in layers)
    return 3 * forward - layers[0].flops if phase == "training" else forward


def all_trained(total: int) -> Count:
    """Every parameter is trainable."""
    return Count(total=total, trainable=total)


def weight_bytes(count: Count, phase: Phase, batch: int, optimizer: Optimizer | None) -> float:
    """Compulsory traffic of the weights for one sample: read once a step; in training those that learn are written
    too, and the optimizer's state (SGD 0 or 1 numbers a weight, Adam 2) is read and written."""
    passes = float(count.total)
    if phase == "training":
        states = 2 if isinstance(optimizer, Adam) else int(bool(optimizer and optimizer.momentum))
        passes += count.trainable * (1 + 2 * states)
    return 4.0 * passes / batch
