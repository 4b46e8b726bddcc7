"""Encoder-decoder transformer in PyTorch."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.attention.spec import positions
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.transformer import spec


class Attention(nn.Module):
    """Multi-head attention of one sequence to another, or to itself."""

    def __init__(self, kit: Kit, size: Size, *, causal: bool = False) -> None:
        super().__init__()
        self.kit, self.count, self.causal = kit, size.heads, causal
        self.query = kit.dense(size.width, size.width)
        self.key = kit.dense(size.width, size.width)
        self.value = kit.dense(size.width, size.width)
        self.out = kit.dense(size.width, size.width)

    def forward(self, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        """x (B, T, C), memory (B, S, C) -> (B, T, C)."""
        q = self.kit.split_heads(self.query(x), self.count)  # (B, heads, T, D)
        k = self.kit.split_heads(self.key(memory), self.count)  # (B, heads, S, D)
        v = self.kit.split_heads(self.value(memory), self.count)
        return self.out(self.kit.merge_heads(self.kit.attention(q, k, v, causal=self.causal)))


class Perceptron(nn.Module):
    """Dense, ReLU, dense."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.up = kit.dense(size.width, size.inner)
        self.down = kit.dense(size.inner, size.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) -> (B, T, C)."""
        return self.down(F.relu(self.up(x)))


class EncoderLayer(nn.Module):
    """Self-attention and MLP, a norm after each residual sum."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.attention, self.norm1 = Attention(kit, size), kit.layer_norm(size.width)
        self.perceptron, self.norm2 = Perceptron(kit, size), kit.layer_norm(size.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, S, C) -> (B, S, C)."""
        x = self.norm1(x + self.attention(x, x))
        return self.norm2(x + self.perceptron(x))


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the encoder's output and MLP, a norm after each residual sum."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.attention, self.norm1 = Attention(kit, size, causal=True), kit.layer_norm(size.width)
        self.cross, self.norm2 = Attention(kit, size), kit.layer_norm(size.width)
        self.perceptron, self.norm3 = Perceptron(kit, size), kit.layer_norm(size.width)

    def forward(self, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        """x (B, T, C), memory (B, S, C) -> (B, T, C)."""
        x = self.norm1(x + self.attention(x, x))
        x = self.norm2(x + self.cross(x, memory))
        return self.norm3(x + self.perceptron(x))


class Transformer(nn.Module):
    """Embedding and positions, encoder, decoder, and the embedding again as the output layer."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.scale = kit, math.sqrt(size.width)
        self.positions = kit.constant(positions(max(size.source, size.target), size.width))
        self.embedding = kit.embedding(size.vocabulary, size.width)
        self.encoder = nn.ModuleList(EncoderLayer(kit, size) for _ in range(size.depth))
        self.decoder = nn.ModuleList(DecoderLayer(kit, size) for _ in range(size.depth))

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, T) -> (B, T, C)."""
        return self.embedding(tokens) * self.scale + self.positions[: tokens.shape[1]]

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """source (B, S), target (B, T) -> logits (B, T, vocabulary)."""
        memory = self.embed(source)
        for layer in self.encoder:
            memory = layer(memory)
        x = self.embed(target)
        for layer in self.decoder:
            x = layer(x, memory)
        return self.kit.tied_logits(x, self.embedding)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """source and target -> logits, or source, target and labels -> loss."""
    model = kit.prepare(Transformer(kit, size), spec.initial)
    if phase == "inference":
        return kit.inference(model, lambda source, target: {"logits": model(source, target)})

    def forward(source: torch.Tensor, target: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(source, target), labels, smoothing=spec.SMOOTHING)}

    return kit.training(model, forward, spec.OPTIMIZER)
