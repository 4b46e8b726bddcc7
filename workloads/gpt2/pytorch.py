"""GPT-2 in PyTorch."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.gpt2 import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Arrays, Phase, Program, Size


class Cache:
    """Keys and values of one block, (B, heads, length + 1, D) each, of fixed size and written in place."""

    def __init__(self, kit: Kit, size: Size) -> None:
        shape = (size.batch, size.heads, size.length + 1, size.width // size.heads)
        self.keys, self.values = (torch.zeros(shape, dtype=kit.compute_dtype, device=kit.device) for _ in "kv")

    def extend(self, start: int, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """k, v (B, heads, T, D) from `start` on -> all up to there, (B, heads, start + T, D)."""
        end = start + k.shape[2]
        self.keys[:, :, start:end], self.values[:, :, start:end] = k, v
        return self.keys[:, :, :end], self.values[:, :, :end]


class Block(nn.Module):
    """Causal self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.count = kit, size.heads
        self.norm1 = kit.layer_norm(size.width)
        self.qkv = kit.dense(size.width, 3 * size.width)
        self.out = kit.dense(size.width, size.width)
        self.norm2 = kit.layer_norm(size.width)
        self.up = kit.dense(size.width, 4 * size.width)
        self.down = kit.dense(4 * size.width, size.width)

    def forward(self, x: torch.Tensor, start: int = 0, cache: Cache | None = None) -> torch.Tensor:
        """(B, T, C) -> (B, T, C); with a cache, the tokens are those from `start` on."""
        q, k, v = (self.kit.split_heads(part, self.count) for part in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        if cache is not None:
            k, v = cache.extend(start, k, v)
        mixed = self.kit.attention(q, k, v, causal=not start)  # (B, heads, T, D)
        x = x + self.out(self.kit.merge_heads(mixed))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    """Embeddings, blocks, norm; the token embedding again as the output layer."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.tokens = kit.embedding(size.vocabulary, size.width)
        self.positions = kit.embedding(size.context, size.width)
        self.blocks = nn.ModuleList(Block(kit, size) for _ in range(size.depth))
        self.norm = kit.layer_norm(size.width)

    def forward(
        self, tokens: torch.Tensor, start: int = 0, caches: list[Cache] | None = None, *, last: bool = False
    ) -> torch.Tensor:
        """(B, T) -> logits (B, T, vocabulary), or with `last` those of the last token (B, 1, vocabulary)."""
        places = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        x = self.tokens(tokens) + self.positions(places)  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x = block(x, start=start, cache=caches[index] if caches else None)
        return self.kit.tied_logits(self.norm(x[:, -1:] if last else x), self.tokens)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens -> logits of the last; token -> logits and the next; tokens and labels -> loss."""
    model = kit.prepare(Gpt2(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda tokens: {"logits": model(tokens, last=True)})
    if phase == "generation":
        return _generation(size, kit, model)

    def forward(tokens: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(tokens), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)


def _generation(size: Size, kit: Kit, model: Gpt2) -> Program:
    """Generate one token after the prefix, whose keys and values are in the cache.

    Each step writes the same position.
    """
    caches = [Cache(kit, size) for _ in model.blocks]
    prefix = kit.tensor(spec.prefix(size, kit.seed))
    fill = kit.inference(model, lambda tokens: {"logits": model(tokens, caches=caches, last=True)}).step

    def forward(token: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = model(token[:, None], start=size.length, caches=caches)[:, 0]  # (B, vocabulary)
        return {"logits": logits, "next": logits.argmax(-1)}

    program = kit.inference(model, forward)

    def load_weights(arrays: Arrays) -> None:
        program.load_weights(arrays)
        fill(tokens=prefix)

    fill(tokens=prefix)
    return replace(program, load_weights=load_weights)
