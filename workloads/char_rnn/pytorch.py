"""Character-level recurrent network in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from joulemark.workloads.char_rnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class CharRnn(nn.Module):
    """LSTM over characters, classifier on its last state."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.lstm = kit.lstm(size.characters, size.width)
        self.head = kit.dense(size.width, size.characters)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        """(B, T, characters) -> logits (B, characters)."""
        states, _ = self.lstm(window)  # (B, T, width)
        return self.head(states[:, -1])


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """window and labels -> loss; in generation, chance and the text so far -> next character and its distribution."""
    model = kit.prepare(CharRnn(kit, size), spec.INITIAL)

    def forward(window: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(window), labels)}

    if phase == "training":
        return kit.training(model, forward, spec.OPTIMIZER)
    one_hot = kit.constant(np.eye(size.characters))
    prompt = kit.tensor(spec.prompt(size, kit.seed))

    def begin() -> dict[str, torch.Tensor]:
        _, (hidden, cell) = model.lstm(one_hot[prompt[:, :-1]])
        return {"character": prompt[:, -1], "hidden": hidden, "cell": cell}

    def follow(
        character: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor, chance: torch.Tensor, **_index: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        states, (hidden, cell) = model.lstm(one_hot[character][:, None], (hidden, cell))  # (B, 1, width)
        odds = torch.softmax(kit.widen(model.head(states[:, 0])), dim=-1)  # (B, characters)
        passed = odds.cumsum(-1) < kit.widen(chance)  # the distribution's inverse
        following = passed.sum(-1).clamp(max=size.characters - 1)
        return {"odds": odds, "next": following}, {"character": following, "hidden": hidden, "cell": cell}

    return kit.generation(model, begin, follow, size.length)
