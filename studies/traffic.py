"""Bytes that a step moves if no operators are fused: `python -m studies.traffic [ID...]` writes workloads/traffic.json.

They are counted from PyTorch's programs, as trials run them eagerly: a training step writes its activations forward and
reads them again backward, and the optimizer reads and writes its state. The tensors are fake, without memory, so that
size `base` takes seconds. Two things are taken apart that PyTorch fuses and TensorFlow does not: attention is a matrix
product, a softmax and a matrix product, and an LSTM its cells.

A step's traffic is a part that does not depend on the batch (weights, gradients, optimizer) and a part per sample: two
numbers that follow from counts at two batch sizes. `bf16` stands for `fp16` too, whose loss scaling adds a pass over
the gradients.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from joulemark.workloads.initial import Spread
from joulemark.workloads.kits.pytorch import Kit
from joulemark.workloads.registry import builder, workloads
from joulemark.workloads.spec import ELEMENT_BYTES, Phase, Workload
from joulemark.workloads.traffic import DATA, key
from studies.traffic_counter import TrafficCounter

PRECISIONS = ("fp32", "bf16")
BATCHES = (2, 3)
"""Not 1: batch norm refuses a single number per channel."""


class CountingKit(Kit):
    """PyTorch's kit on fake tensors; weights are not drawn, and attention is not fused."""

    def __init__(self, fake: FakeTensorMode, precision: str, training: bool) -> None:
        super().__init__(precision=precision, training=training)
        self.fake = fake

    def prepare(self, model: nn.Module, spread: Spread) -> nn.Module:
        """Return the model in the kit's precision, with the weights that it has.

        `Module.to` refuses fake tensors that PyTorch keeps weak references to.
        """
        self.spread = spread
        for module in model.modules():
            dtype = self.wide if isinstance(module, nn.BatchNorm2d) else self.dtype
            for name, weight in [*module.named_parameters(recurse=False)]:
                layout = torch.channels_last if weight.ndim == 4 else torch.preserve_format
                converted = weight.detach().to(dtype, memory_format=layout)
                setattr(module, name, nn.Parameter(converted, weight.requires_grad))
            for name, buffer in [*module.named_buffers(recurse=False)]:
                setattr(module, name, buffer.to(dtype) if buffer.is_floating_point() else buffer)
        return model

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        """Return a fake tensor of the array's shape."""
        return self.fake.from_tensor(super().tensor(array))

    def constant(self, array: np.ndarray) -> torch.Tensor:
        """Return a fake tensor of the array's shape."""
        return self.fake.from_tensor(super().constant(array))

    def lookup_table(self, array: np.ndarray) -> torch.Tensor:
        """Return a fake tensor of the array's shape."""
        return self.fake.from_tensor(super().lookup_table(array))

    def lstm(self, width_in: int, width: int) -> nn.Module:
        """Return an LSTM that is its cells, without oneDNN's kernel."""
        layer = super().lstm(width_in, width)
        fused = layer.forward

        def cells(x: torch.Tensor, state: Any = None) -> Any:
            with torch.backends.mkldnn.flags(enabled=False, allow_tf32=None):
                return fused(x, state)

        setattr(layer, "forward", cells)  # noqa: B010 (a method of the class)
        return layer

    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        *,
        causal: bool = False,
        visible: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return softmax(q k^T / sqrt(D)) v, whose scores are written and read as in TensorFlow."""
        together = k.shape[0], k.shape[1], -1  # heads with the same keys
        scores = (q * q.shape[-1] ** -0.5).reshape(*together, q.shape[3]) @ k.mT
        scores = scores.view(*q.shape[:3], k.shape[2])  # (B, heads, T, S)
        if causal:
            visible = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        if visible is not None:
            scores = scores.masked_fill(~visible, -torch.inf)
        return (torch.softmax(scores, dim=-1).to(v.dtype).view(*together, v.shape[2]) @ v).view(q.shape)


def step_bytes(workload: Workload, size: str, phase: Phase, batch: int, precision: str) -> int:
    """Return the bytes that one step moves, once its optimizer has a state."""
    preset = workload.sizes[size]
    with FakeTensorMode(allow_non_fake_inputs=True) as fake:
        kit = CountingKit(fake, precision, training=phase == "training")
        program = builder(workload, "pytorch")(preset.at(batch), phase, kit)
        arrays = workload.inputs(preset, phase, batch, np.random.default_rng(0))
        inputs: dict[str, Any] = {name: kit.tensor(array) for name, array in arrays.items()}
        if phase == "training":
            program.step(**inputs)
        with TrafficCounter() as counter:
            program.step(**inputs)
    return counter.bytes


def parts(workload: Workload, size: str, phase: Phase, precision: str) -> tuple[int, int]:
    """Return the bytes of a step that do not depend on the batch, and those of each sample."""
    if not workload.batched:
        return 0, step_bytes(workload, size, phase, 1, precision)
    few, more = (step_bytes(workload, size, phase, batch, precision) for batch in BATCHES)
    per_sample = more - few
    return few - BATCHES[0] * per_sample, per_sample


def counts(workload: Workload, sizes: Iterable[str]) -> Iterator[tuple[str, dict[str, tuple[int, int]]]]:
    """Yield the key of each size and phase, and its `parts` by the bytes of an element."""
    for size in sizes:
        for phase in workload.stepped_phases:
            precisions = [precision for precision in PRECISIONS if precision in workload.precisions]
            by_element = {str(ELEMENT_BYTES[each]): parts(workload, size, phase, each) for each in precisions}
            yield key(workload.id, size, phase), by_element


def main() -> None:
    """Write the counts of the workloads named on the command line, by default of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", metavar="ID", help="workload[.variant] to count again (default: all)")
    own = {id: workload for id, workload in workloads().items() if workload.package == "" and workload.compiles}
    ids = parser.parse_args().ids or list(own)
    if unknown := [id for id in ids if id not in own]:
        parser.error(f"{unknown[0]} is none of {', '.join(own)}")
    kept = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    data = {name: count for name, count in kept.items() if (id := name.partition(":")[0]) in own and id not in ids}
    for id in ids:
        data |= dict(counts(own[id], own[id].sizes))
        print(id, flush=True)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(data[name])}" for name in sorted(data))
    DATA.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
