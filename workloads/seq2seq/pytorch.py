"""Recurrent encoder-decoder with attention in PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from joulemark.workloads.kit import Kit
from joulemark.workloads.seq2seq import spec
from joulemark.workloads.spec import Phase, Program, Size


class Seq2Seq(nn.Module):
    """Encoder, decoder that starts from the encoder's last state, attention to the encoder's states."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.window = kit.constant(spec.window(size))  # (T, S)
        self.source = kit.embedding(size.vocabulary, size.width)
        self.target = kit.embedding(size.vocabulary, size.width)
        self.encoder = kit.lstm(size.width, size.width)
        self.decoder = kit.lstm(size.width, size.width)
        self.score = kit.dense(size.width, size.width, bias=False)
        self.combine = kit.dense(2 * size.width, size.width)
        self.words = kit.dense(size.width, size.vocabulary)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """source (B, S), target (B, T) -> logits (B, T, vocabulary)."""
        memory, last = self.encoder(self.source(source))  # (B, S, C)
        states, _ = self.decoder(self.target(target), last)  # (B, T, C)
        scores = states @ self.score(memory).mT + self.window  # (B, T, S)
        context = torch.softmax(scores, dim=-1).to(memory.dtype) @ memory  # (B, T, C)
        return self.words(torch.tanh(self.combine(torch.cat([context, states], dim=-1))))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """source and target -> logits; with labels -> loss."""
    model = kit.prepare(Seq2Seq(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda source, target: {"logits": model(source, target)})

    def forward(source: torch.Tensor, target: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(source, target), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
