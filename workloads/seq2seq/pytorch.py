"""Recurrent encoder-decoder with attention in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from joulemark.workloads.kit import Kit
from joulemark.workloads.seq2seq import spec
from joulemark.workloads.spec import Phase, Program, Size


class Seq2Seq(nn.Module):
    """Encoder, decoder that starts from the encoder's last state, attention to the encoder's states."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.local = size.reach > 0
        if self.local:
            places, mask = spec.window(size)
            self.places, self.mask = kit.tensor(places), kit.constant(mask)  # (T, W)
        self.source = kit.embedding(size.vocabulary, size.width)
        self.target = kit.embedding(size.vocabulary, size.width)
        self.encoder = kit.lstm(size.width, size.width)
        self.decoder = kit.lstm(size.width, size.width)
        self.score = kit.dense(size.width, size.width, bias=False)
        self.combine = kit.dense(2 * size.width, size.width)
        self.words = kit.dense(size.width, size.vocabulary)

    def encode(self, source: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """source (B, S) -> keys and memory (B, S, C), last state and cell."""
        memory, last = self.encoder(self.source(source))
        return self.score(memory), memory, last

    def attend(
        self, states: torch.Tensor, keys: torch.Tensor, memory: torch.Tensor, index: torch.Tensor | None = None
    ) -> torch.Tensor:
        """states (B, T, C), of one place at the `index` (1,) or of all -> logits (B, T, vocabulary)."""
        queries = states
        if self.local:
            places, mask = (self.places, self.mask) if index is None else (self.places[index], self.mask[index])
            keys, memory = (x.index_select(1, places.flatten()).unflatten(1, places.shape) for x in (keys, memory))
            queries = states[:, :, None]  # (B, T, 1, C), to keys and memory (B, T, W, C)
        scores = queries @ keys.mT  # (B, T, S) or (B, T, 1, W)
        if self.local:
            scores = scores + mask[:, None]
        context = (torch.softmax(scores, dim=-1).to(memory.dtype) @ memory).view(states.shape)
        return self.words(torch.tanh(self.combine(torch.cat([context, states], dim=-1))))

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """source (B, S), target (B, T) -> logits (B, T, vocabulary)."""
        keys, memory, last = self.encode(source)
        states, _ = self.decoder(self.target(target), last)  # (B, T, C)
        return self.attend(states, keys, memory)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """source and target -> logits, with labels -> loss; in generation, the tokens so far -> logits and the next."""
    model = kit.prepare(Seq2Seq(kit, size), spec.INITIAL)
    if phase == "generation":
        return _generation(size, kit, model)
    if phase == "forward":
        return kit.inference(model, lambda source, target: {"logits": model(source, target)})

    def forward(source: torch.Tensor, target: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": kit.cross_entropy(model(source, target), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)


def _generation(size: Size, kit: Kit, model: Seq2Seq) -> Program:
    """Return greedy decoding of sources that are read when it begins."""
    cache = kit.cache(size.batch, 1, size.source, size.width)
    sources = kit.tensor(spec.sources(size, kit.seed))

    def begin() -> dict[str, torch.Tensor]:
        keys, memory, (hidden, cell) = model.encode(sources)
        cache.fill(keys[:, None], memory[:, None])
        return {"token": kit.tensor(np.full(size.batch, spec.BEGIN)), "hidden": hidden, "cell": cell}

    def follow(
        index: torch.Tensor, token: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
    ) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        states, (hidden, cell) = model.decoder(model.target(token[:, None]), (hidden, cell))  # (B, 1, C)
        keys, memory = cache.whole()
        logits = model.attend(states, keys[:, 0], memory[:, 0], index)[:, 0]  # (B, vocabulary)
        following = logits.argmax(-1)
        return {"logits": logits, "next": following}, {"token": following, "hidden": hidden, "cell": cell}

    return kit.generation(model, begin, follow, size.target)
