"""Generation in PyTorch: caches of keys and values, and a state that passes from step to step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from joulemark.workloads.spec import Arrays, Program

Outputs = Mapping[str, torch.Tensor]
State = Mapping[str, torch.Tensor]


def fixed(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor, marked as one that keeps its address: CUDA graphs write it in place instead of copying it."""
    if tensor.is_cuda:
        torch._dynamo.mark_static_address(tensor)
    return tensor


class Cache:
    """Keys and values of a fixed number of places, (B, heads, S, D) each; zeros until they are written in place."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self.keys, self.values = (fixed(torch.zeros(shape, dtype=dtype, device=device)) for _ in range(2))

    def fill(self, k: torch.Tensor, v: torch.Tensor) -> None:
        """Write k, v (B, heads, T, D) to the first T places."""
        length = k.shape[2]
        self.keys[:, :, :length], self.values[:, :, :length] = k, v

    def extend(self, place: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write k, v (B, heads, 1, D) to the place (1,) and return those of all places."""
        self.keys.index_copy_(2, place, k)
        self.values.index_copy_(2, place, v)
        return self.whole()

    def whole(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values of all places."""
        return self.keys, self.values


class Progress:
    """The state between two steps. It starts anew from the first one after `count` steps."""

    def __init__(self, begin: Callable[[], State], count: int, device: torch.device) -> None:
        self.begin, self.count, self.device = begin, count, device
        first = self._begin()
        self.first = {name: tensor.clone() for name, tensor in first.items()}
        self.now = {name: fixed(tensor.clone()) for name, tensor in first.items()}

    @torch.no_grad()
    def _begin(self) -> dict[str, torch.Tensor]:
        return {**self.begin(), "index": torch.zeros(1, dtype=torch.int64, device=self.device)}

    def restart(self) -> None:
        """Set the state to the first one, with the model's present weights."""
        self.start(self._begin())

    def start(self, first: State) -> None:
        """Set the state to `first`, which steps start anew from."""
        for name, tensor in first.items():
            self.first[name].copy_(tensor)
            self.now[name].copy_(tensor)
        self.now["index"].zero_()

    def rewind(self, index: int) -> None:
        """Set how many steps there have been since the first one; the rest of the state stays."""
        self.now["index"].fill_(index)

    def advance(self, state: State) -> None:
        """Set the state that the next step starts from."""
        index = self.now["index"] + 1
        over = index == self.count
        for name, tensor in {**state, "index": index}.items():
            self.now[name].copy_(torch.where(over, self.first[name], tensor))


class Generation:
    """What the kit gives to generation."""

    device: torch.device
    compute_dtype: torch.dtype
    inference: Callable[[nn.Module, Callable[..., Outputs]], Program]

    def cache(self, batch: int, heads: int, length: int, width: int) -> Cache:
        """Return a cache of `length` places, with heads of `width`."""
        return Cache((batch, heads, length, width), self.compute_dtype, self.device)

    def generation(
        self, model: nn.Module, begin: Callable[[], State], follow: Callable[..., tuple[Outputs, State]], count: int
    ) -> Program:
        """Return a sampling step, in evaluation mode, that starts where the step before has ended.

        `begin()` returns the first state, once the program is built and whenever its weights are set. `follow(index=,
        **state, **inputs)` returns outputs and the next state; `index` (1,) counts the steps from 0. After `count`
        steps both start anew.
        """
        model.eval()
        return self._decoding(model, Progress(begin, count, self.device), follow)

    def response(
        self,
        model: nn.Module,
        prompt: Mapping[str, torch.Tensor],
        read: Callable[..., tuple[Outputs, State]],
        follow: Callable[..., tuple[Outputs, State]],
        count: int,
    ) -> Program:
        """Return a prefill, and the generation that goes on from it.

        `read(**prompt)` returns outputs and the first state: of `prompt` once the program is built and whenever its
        weights are set, then of what each prefill is given. `follow` and `count` are as in `generation`.
        """
        model.eval()
        progress = Progress(lambda: read(**prompt)[1], count, self.device)

        def prefill(**inputs: Any) -> Outputs:
            outputs, first = read(**inputs)
            progress.start(first)
            return outputs

        decoding = self._decoding(model, progress, follow)
        return replace(decoding, prefill=self.inference(model, prefill).step, rewind=progress.rewind)

    def _decoding(self, model: nn.Module, progress: Progress, follow: Callable[..., tuple[Outputs, State]]) -> Program:
        """Return the steps that `follow` makes from the state of `progress`."""

        def forward(**inputs: Any) -> Outputs:
            outputs, state = follow(**progress.now, **inputs)
            progress.advance(state)
            return outputs

        program = self.inference(model, forward)

        def restarted(change: Callable[..., None]) -> Callable[..., None]:
            def changed(*weights: Arrays) -> None:
                change(*weights)
                progress.restart()

            return changed

        return replace(program, load_weights=restarted(program.load_weights), initialise=restarted(program.initialise))
