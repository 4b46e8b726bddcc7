"""Texts as inputs and outputs: tokens that are read, and those that are generated."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import torch
from framework_process import SEED


def text(name: str, vocabulary: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return tokens drawn by name; one of them is 0, which many models take for padding."""
    tokens = np.random.default_rng(zlib.crc32(name.encode())).integers(0, vocabulary, shape)
    tokens.flat[tokens.size // 2 + 1] = 0
    return tokens


def prompt(vocabulary: int, shape: tuple[int, int]) -> torch.Tensor:
    """Return what generation reads before it begins: no input, but drawn by the workloads with the kit's seed."""
    return torch.from_numpy(np.random.default_rng(SEED).integers(0, vocabulary, shape))


def checked(generated: torch.Tensor) -> torch.Tensor:
    """Return generated tokens (B, T), which must change in each text: a lost token or place would not show else."""
    if not (generated[:, 1:] != generated[:, :-1]).any(1).all():
        raise ValueError(f"a text is one token over and over: {generated.tolist()}; give the weights other factors")
    return generated


def greedy(logits: Callable[[torch.Tensor], torch.Tensor], begin: torch.Tensor, steps: int) -> dict[str, torch.Tensor]:
    """Return the logits and the token of the last of several steps, each of which reads all tokens before it.

    `logits(tokens)` of tokens (B, T) is (B, T, vocabulary); `begin` (B, 1).
    """
    tokens = begin
    for _ in range(steps):
        last = logits(tokens)[:, -1]
        tokens = torch.cat([tokens, last.argmax(-1, keepdim=True)], dim=1)
    return {"logits": last, "next": checked(tokens[:, begin.shape[1] :])[:, -1]}
