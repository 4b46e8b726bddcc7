"""A mixture of experts in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.llama.pytorch import Attention, Llama, Outputs, answering
from joulemark.workloads.llama.spec import EPSILON
from joulemark.workloads.moe import spec
from joulemark.workloads.spec import Phase, Program, Size


class Experts(nn.Module):
    """Gated MLPs, of which each row passes a few."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.size = kit, size
        self.router = kit.dense(size.width, size.experts, bias=False)
        self.gate = kit.experts(size.experts, size.width, size.inner)
        self.up = kit.experts(size.experts, size.width, size.inner)
        self.down = kit.experts(size.experts, size.inner, size.width)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, C) -> (B, T, C), and the share () of choices that were dropped.

        Of N = B T rows, each chooses K of E experts, which take `room` rows each.
        """
        rows = x.flatten(0, 1)  # (N, C)
        scores, chosen = self.router(rows).topk(self.size.chosen)  # (N, K)
        slots, kept = self.slots(chosen)  # (N, K)
        taken = rows.index_select(0, self.takers(slots)).unflatten(0, (self.size.experts, -1))  # (E, room, C)
        made = self.down(F.silu(self.gate(taken)) * self.up(taken)).flatten(0, 1)  # (E room, C)
        parts = made.index_select(0, (slots * kept).flatten()).unflatten(0, slots.shape)  # (N, K, C)
        weights = self.kit.widen(scores).softmax(-1).to(x.dtype) * kept
        return (weights[..., None] * parts).sum(1).view(x.shape), 1 - self.kit.widen(kept).mean()

    def slots(self, chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the slot of each choice among those of all experts, and whether it has one, (N, K) each.

        What has none is at the slot behind all others.
        """
        experts, room = self.size.experts, spec.room(self.size, len(chosen))
        hits = chosen.flatten()[:, None] == torch.arange(experts, device=chosen.device)  # (N K, E)
        place = (hits.cumsum(0) * hits).sum(1).view(chosen.shape) - 1  # choices of the same expert before this one
        kept = place < room
        return torch.where(kept, chosen * room + place, experts * room), kept

    def takers(self, slots: torch.Tensor) -> torch.Tensor:
        """Return the row that each slot has, (E room,): the first one where nobody reads what becomes of it."""
        rows = torch.arange(len(slots), device=slots.device)[:, None].expand(slots.shape)
        empty = slots.new_zeros(self.size.experts * spec.room(self.size, len(slots)) + 1)
        return empty.scatter(0, slots.flatten(), rows.flatten())[:-1]


class Block(nn.Module):
    """Self-attention and experts, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.norm1 = kit.rms_norm(size.width, epsilon=EPSILON)
        self.attention = Attention(kit, size)
        self.norm2 = kit.rms_norm(size.width, epsilon=EPSILON)
        self.experts = Experts(kit, size)

    def forward(
        self,
        x: torch.Tensor,
        turn: tuple[torch.Tensor, torch.Tensor],
        cache: Cache | None = None,
        place: torch.Tensor | None = None,
        visible: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, C) -> (B, T, C), and the share that experts dropped; see `Llama.forward`."""
        x = x + self.attention(self.norm1(x), turn, cache, place, visible)
        mixed, dropped = self.experts(self.norm2(x))
        return x + mixed, dropped


class Moe(Llama):
    """Llama with experts in its blocks."""

    block = Block

    def forward(
        self,
        tokens: torch.Tensor,
        caches: Sequence[Cache] = (),
        place: torch.Tensor | None = None,
        *,
        last: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits as `Llama.forward` does, and the share () of choices that were dropped in all blocks."""
        turn, visible = self.at(tokens, place)
        x, dropped = self.tokens(tokens), []  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x, share = block(x, turn, caches[index] if caches else None, place, visible)
            dropped.append(share)
        return self.logits(x[:, -1:] if last else x), sum(dropped) / len(dropped)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens and labels -> loss; tokens, or what generation has read so far -> logits of the last, and the next."""
    model = kit.prepare(Moe(kit, size), spec.INITIAL)

    def forward(tokens: torch.Tensor, labels: torch.Tensor) -> Outputs:
        logits, dropped = model(tokens)
        return {"loss": kit.cross_entropy(logits, labels), "dropped": dropped}

    def answer(tokens: torch.Tensor, caches: Sequence[Cache], place: torch.Tensor | None) -> Outputs:
        logits, dropped = model(tokens, caches, place, last=True)
        return {"logits": logits[:, 0], "dropped": dropped}

    if phase == "training":
        return kit.training(model, forward, spec.OPTIMIZER)
    return answering(size, phase, kit, model, answer)
