"""Llama in PyTorch, and its training by LoRA."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.gpt2.spec import followed, places, prompt
from joulemark.workloads.kit import Cache, Kit
from joulemark.workloads.llama import spec
from joulemark.workloads.spec import Phase, Program, Size

Outputs = dict[str, torch.Tensor]


class Lora(nn.Module):
    """A frozen projection, and two thin layers beside it that learn."""

    def __init__(self, kit: Kit, size: Size, width_in: int, width: int) -> None:
        super().__init__()
        self.frozen = kit.dense(width_in, width, bias=False)
        kit.freeze(self.frozen)
        self.a = kit.dense(width_in, size.rank, bias=False)
        self.b = kit.dense(size.rank, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, width_in) -> (B, T, width)."""
        return self.frozen(x) + spec.SCALE * self.b(self.a(x))


def projection(kit: Kit, size: Size, width_in: int, width: int) -> nn.Module:
    """Return a dense layer without bias, in LoRA with its thin layers."""
    return kit.dense(width_in, width, bias=False) if size.rank is None else Lora(kit, size, width_in, width)


class Attention(nn.Module):
    """Causal self-attention with rotated queries and keys; several heads of queries have the same keys and values."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit, self.heads, self.kv_heads = kit, size.heads, size.kv_heads
        width = size.width // size.heads * size.kv_heads
        self.query = projection(kit, size, size.width, size.width)
        self.key = projection(kit, size, size.width, width)
        self.value = projection(kit, size, size.width, width)
        self.out = projection(kit, size, size.width, size.width)

    def forward(
        self,
        x: torch.Tensor,
        turn: tuple[torch.Tensor, torch.Tensor],
        cache: Cache | None = None,
        place: torch.Tensor | None = None,
        visible: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, T, C) -> (B, T, C); see `Llama.forward`."""
        q = rotated(self.kit.split_heads(self.query(x), self.heads), *turn)  # (B, heads, T, D)
        k = rotated(self.kit.split_heads(self.key(x), self.kv_heads), *turn)  # (B, kv_heads, T, D)
        v = self.kit.split_heads(self.value(x), self.kv_heads)
        if place is not None:
            k, v = cache.extend(place, k, v)
        elif cache is not None:
            cache.fill(k, v)
        mixed = self.kit.attention(q, k, v, causal=place is None, visible=visible)  # (B, heads, T, D)
        return self.out(self.kit.merge_heads(mixed))


def rotated(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Return the heads (B, heads, T, D), each pair of numbers turned by the angle of its place; cos, sin (T, D)."""
    return x * cos + x.roll(x.shape[-1] // 2, -1) * sin


class Mlp(nn.Module):
    """An MLP whose inner numbers pass a gate (Shazeer 2020)."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.gate = projection(kit, size, size.width, size.inner)
        self.up = projection(kit, size, size.width, size.inner)
        self.down = projection(kit, size, size.inner, size.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) -> (B, T, C)."""
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    """Self-attention and MLP, each after a norm, in a residual branch."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.norm1 = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.attention = Attention(kit, size)
        self.norm2 = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.mlp = Mlp(kit, size)

    def forward(
        self,
        x: torch.Tensor,
        turn: tuple[torch.Tensor, torch.Tensor],
        cache: Cache | None = None,
        place: torch.Tensor | None = None,
        visible: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, T, C) -> (B, T, C); see `Llama.forward`."""
        x = x + self.attention(self.norm1(x), turn, cache, place, visible)
        return x + self.mlp(self.norm2(x))


class Llama(nn.Module):
    """Embedding, blocks, norm, and the output layer, which may be the embedding."""

    block: Callable[[Kit, Size], nn.Module] = Block

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        self.tokens = kit.embedding(size.vocabulary, size.width)
        self.cos, self.sin = (kit.constant(each) for each in spec.rotation(size))  # (places, D)
        self.blocks = nn.ModuleList(self.block(kit, size) for _ in range(size.depth))
        self.norm = kit.rms_norm(size.width, epsilon=spec.EPSILON)
        self.head = None if size.tied else kit.dense(size.width, size.vocabulary, bias=False)

    def forward(
        self,
        tokens: torch.Tensor,
        caches: Sequence[Cache] = (),
        place: torch.Tensor | None = None,
        *,
        last: bool = False,
    ) -> torch.Tensor:
        """(B, T) -> logits (B, T, vocabulary), or with `last` those of the last token (B, 1, vocabulary).

        With caches, one for each block, keys and values are kept there. With a `place` (1,), the tokens are one token
        at that place, (B, 1), which sees what is kept up to there.
        """
        turn, visible = self.at(tokens, place)
        x = self.tokens(tokens)  # (B, T, C)
        for index, block in enumerate(self.blocks):
            x = block(x, turn, caches[index] if caches else None, place, visible)
        return self.logits(x[:, -1:] if last else x)

    def at(
        self, tokens: torch.Tensor, place: torch.Tensor | None
    ) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor | None]:
        """Return the rotation of the tokens' places, (T, D) twice, and which keys a token at `place` sees, (1, S)."""
        if place is None:
            return (self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]), None
        visible = torch.arange(len(self.cos), device=tokens.device)[None] <= place
        return (self.cos.index_select(0, place), self.sin.index_select(0, place)), visible

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) -> (B, T, vocabulary)."""
        x = self.norm(x)
        return self.kit.tied_logits(x, self.tokens) if self.head is None else self.head(x)


def freeze(kit: Kit, model: Llama) -> None:
    """Freeze all but the projections: LoRA's are frozen but for their thin layers."""
    for block in model.blocks:
        kit.freeze(block.norm1)
        kit.freeze(block.norm2)
    kit.freeze(model.tokens)
    kit.freeze(model.norm)
    if model.head is not None:
        kit.freeze(model.head)


def answering(size: Size, phase: Phase, kit: Kit, model: nn.Module, answer: Callable[..., Outputs]) -> Program:
    """Return a program without training; `answer(tokens, caches, place)` returns the `logits` of the last tokens."""
    width = size.width // size.heads
    caches = [kit.cache(size.batch, size.kv_heads, places(size), width) for _ in range(size.depth)]

    def read(tokens: torch.Tensor) -> tuple[Outputs, Outputs]:
        return with_next(answer(tokens, caches, None))

    def follow(index: torch.Tensor, token: torch.Tensor) -> tuple[Outputs, Outputs]:
        return with_next(answer(token[:, None], caches, size.length + index))

    def with_next(outputs: Outputs) -> tuple[Outputs, Outputs]:
        following = outputs["logits"].argmax(-1)  # (B,)
        return {**outputs, "next": following}, {"token": following}

    if phase == "prefill":
        return kit.inference(model, lambda tokens: read(tokens)[0])
    first = kit.tensor(prompt(size, kit.seed))
    if phase == "generation":
        return kit.generation(model, lambda: read(first)[1], follow, size.new_tokens)
    return kit.response(model, {"tokens": first}, read, follow, followed(size))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """tokens and labels -> loss; tokens, or what generation has read so far -> logits of the last, and the next."""
    model = kit.prepare(Llama(kit, size), spec.INITIAL)
    if size.rank is not None:
        freeze(kit, model)

    def forward(tokens: torch.Tensor, labels: torch.Tensor) -> Outputs:
        return {"loss": kit.cross_entropy(model(tokens), labels)}

    def answer(tokens: torch.Tensor, caches: Sequence[Cache], place: torch.Tensor | None) -> Outputs:
        return {"logits": model(tokens, caches, place, last=True)[:, 0]}  # (B, vocabulary)

    if phase == "training":
        return kit.training(model, forward, spec.LORA_OPTIMIZER if size.rank else spec.OPTIMIZER)
    return answering(size, phase, kit, model, answer)
