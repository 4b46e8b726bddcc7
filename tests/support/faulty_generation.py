"""PyTorch kits whose generation has one mistake each, of the kinds that go unnoticed: its tests must detect them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from joulemark.workloads.kits.pytorch import Kit
from joulemark.workloads.kits.pytorch.generation import Cache
from joulemark.workloads.spec import Program


class _FixedPlace(Cache):
    """A cache that writes each token to its last place."""

    def extend(self, place: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return super().extend(torch.full_like(place, self.keys.shape[2] - 1), k, v)


class WrongPlace(Kit):
    """The cache is written at one fixed place."""

    def cache(self, batch: int, heads: int, length: int, width: int) -> Cache:
        return _FixedPlace((batch, heads, length, width), self.compute_dtype, self.device)


class StuckPosition(Kit):
    """Each step is at the first place."""

    def generation(self, model: Any, begin: Any, follow: Callable[..., Any], count: int) -> Program:
        return super().generation(model, begin, lambda index, **rest: follow(index=index * 0, **rest), count)


class TokenNotFedBack(Kit):
    """Each step reads the first token."""

    kept = "token"

    def generation(self, model: Any, begin: Any, follow: Callable[..., Any], count: int) -> Program:
        def forgetful(**state: torch.Tensor) -> Any:
            outputs, after = follow(**state)
            return outputs, {**after, self.kept: state[self.kept]}

        return super().generation(model, begin, forgetful, count)


class StateNotFedBack(TokenNotFedBack):
    """Each step starts from the first state of the recurrent cell."""

    kept = "hidden"


class AnewTooEarly(Kit):
    """Generation starts anew a step before its stopping length."""

    def generation(self, model: Any, begin: Any, follow: Callable[..., Any], count: int) -> Program:
        return super().generation(model, begin, follow, count - 1)
