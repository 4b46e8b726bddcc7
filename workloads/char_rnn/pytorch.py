"""Character-level recurrent network in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from joulemark.workloads.char_rnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class CharRnn(nn.Module):
    """LSTM over the window, classifier on its last state."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.lstm = kit.lstm(size.characters, size.width)
        self.head = kit.dense(size.width, size.characters)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        """(B, T, characters) -> logits (B, characters)."""
        states, _ = self.lstm(window)  # (B, T, width)
        return self.head(states[:, -1])


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """window and labels -> loss, or window and chance -> the next character and its distribution."""
    model = kit.prepare(CharRnn(kit, size), spec.INITIAL)

    def sample(window: torch.Tensor, chance: torch.Tensor) -> dict[str, torch.Tensor]:
        odds = torch.softmax(kit.widen(model(window)), dim=-1)  # (B, characters)
        passed = odds.cumsum(-1) < kit.widen(chance)  # the distribution's inverse
        return {"odds": odds, "next": passed.sum(-1).clamp(max=size.characters - 1)}

    def forward(window: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(window), labels)}

    return kit.inference(model, sample) if phase == "generation" else kit.training(model, forward, spec.OPTIMIZER)
