"""The faults in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.spec import Program
from planted.spec import CHANNELS, WIDTH


class Model(nn.Module):
    """Two convolutions and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(CHANNELS, WIDTH, 3, padding=1)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.dense = nn.Linear(WIDTH, 10)


def build(size, phase, kit):
    """Return a step with the fault `size.fault`."""
    fault = size.fault
    torch.manual_seed(1)
    layout = torch.contiguous_format if fault == "dropped_channels_last" else torch.channels_last
    model = Model().to(memory_format=layout)

    @torch.no_grad()
    def step(images):
        x = F.relu(model.first(images.permute(0, 3, 1, 2)))
        if fault == "extra_copy":
            x = x.clone()
        x = F.relu(model.second(x))
        x = x.flatten(2).mT.unsqueeze(1)  # (B, heads, places, channels)
        if fault == "lost_fusion" and not torch.compiler.is_compiling():
            x = torch.softmax(x @ x.mT * WIDTH**-0.5, dim=-1) @ x
        else:
            x = F.scaled_dot_product_attention(x, x, x)
        logits = model.dense(x.mean((1, 2)))
        if fault == "extra_operator":
            logits = logits.sin()
        normalised = F.layer_norm(logits, (10,))
        if fault == "lost_fusion" and torch.compiler.is_compiling():
            torch._dynamo.graph_break()
        return {"probabilities": torch.softmax(normalised, dim=-1)}

    return Program(step=step)
