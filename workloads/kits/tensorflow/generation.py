"""Generation in TensorFlow: caches of keys and values, and a state that passes from step to step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from joulemark.workloads.spec import Arrays, Program

Outputs = Mapping[str, tf.Tensor]
State = Mapping[str, tf.Tensor]


class Cache:
    """Keys and values of a fixed number of places, (B, heads, S, D) each; zeros until they are written in place.

    They are kept as rows, (B heads S, D): TensorFlow, with and without XLA, writes rows in place.
    """

    def __init__(self, shape: tuple[int, ...], dtype: tf.DType, device: str) -> None:
        self.shape = batch, heads, length, width = shape
        with tf.device(device):
            self.starts = tf.range(batch * heads, dtype=tf.int64) * length
            zeros = tf.zeros((batch * heads * length, width), dtype)
            self.keys, self.values = (tf.Variable(zeros, trainable=False) for _ in range(2))

    def fill(self, k: tf.Tensor, v: tf.Tensor) -> None:
        """Write k, v (B, heads, T, D) to the first T places."""
        rest = self.shape[2] - k.shape[2]
        for rows, x in ((self.keys, k), (self.values, v)):
            rows.assign(tf.reshape(tf.pad(x, [[0, 0], [0, 0], [0, rest], [0, 0]]), rows.shape))

    def extend(self, place: tf.Tensor, k: tf.Tensor, v: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Write k, v (B, heads, 1, D) to the place (1,) and return those of all places."""
        for rows, x in ((self.keys, k), (self.values, v)):
            rows.scatter_update(tf.IndexedSlices(tf.reshape(x, (-1, self.shape[3])), self.starts + place))
        return self.whole()

    def whole(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Return keys and values of all places."""
        return tf.reshape(self.keys, self.shape), tf.reshape(self.values, self.shape)


class Progress:
    """The state between two steps. It starts anew from the first one after `count` steps."""

    def __init__(self, begin: Callable[[], State], count: int, device: str) -> None:
        self.begin, self.count, self.device = begin, count, device
        first = self._begin()
        with tf.device(device):
            self.first, self.now = (
                {name: tf.Variable(tensor, trainable=False) for name, tensor in first.items()} for _ in range(2)
            )

    def _begin(self) -> dict[str, tf.Tensor]:
        with tf.device(self.device):
            return {**self.begin(), "index": tf.zeros(1, tf.int64)}

    def restart(self) -> None:
        """Set the state to the first one, with the model's present weights."""
        self.start(self._begin())

    def start(self, first: State) -> None:
        """Set the state to `first`, which steps start anew from."""
        for name, tensor in first.items():
            self.first[name].assign(tensor)
            self.now[name].assign(tensor)
        self.rewind(0)

    def rewind(self, index: int) -> None:
        """Set how many steps there have been since the first one; the rest of the state stays."""
        self.now["index"].assign([index])

    def state(self) -> dict[str, tf.Tensor]:
        """Return the state that a step starts from."""
        return {name: variable.read_value() for name, variable in self.now.items()}

    def advance(self, state: State) -> None:
        """Set the state that the next step starts from."""
        index = self.now["index"] + 1
        over = index == self.count
        for name, tensor in {**state, "index": index}.items():
            self.now[name].assign(tf.where(over, self.first[name], tensor))


class Generation:
    """What the kit gives to generation."""

    device: str
    compute_dtype: tf.DType
    inference: Callable[[keras.Layer, Callable[..., Outputs]], Program]

    def cache(self, batch: int, heads: int, length: int, width: int) -> Cache:
        """Return a cache of `length` places, with heads of `width`."""
        return Cache((batch, heads, length, width), self.compute_dtype, self.device)

    def generation(
        self, model: keras.Layer, begin: Callable[[], State], follow: Callable[..., tuple[Outputs, State]], count: int
    ) -> Program:
        """Return a sampling step, in evaluation mode, that starts where the step before has ended.

        `begin()` returns the first state, once the program is built and whenever its weights are set. `follow(index=,
        **state, **inputs)` returns outputs and the next state; `index` (1,) counts the steps from 0. After `count`
        steps both start anew.
        """
        return self._decoding(model, Progress(begin, count, self.device), follow)

    def response(
        self,
        model: keras.Layer,
        prompt: Mapping[str, tf.Tensor],
        read: Callable[..., tuple[Outputs, State]],
        follow: Callable[..., tuple[Outputs, State]],
        count: int,
    ) -> Program:
        """Return a prefill, and the generation that goes on from it.

        `read(**prompt)` returns outputs and the first state: of `prompt` once the program is built and whenever its
        weights are set, then of what each prefill is given. `follow` and `count` are as in `generation`.
        """
        progress = Progress(lambda: read(**prompt)[1], count, self.device)

        def prefill(**inputs: Any) -> Outputs:
            outputs, first = read(**inputs)
            progress.start(first)
            return outputs

        decoding = self._decoding(model, progress, follow)
        return replace(decoding, prefill=self.inference(model, prefill).step, rewind=progress.rewind)

    def _decoding(
        self, model: keras.Layer, progress: Progress, follow: Callable[..., tuple[Outputs, State]]
    ) -> Program:
        """Return the steps that `follow` makes from the state of `progress`."""

        def forward(**inputs: Any) -> Outputs:
            outputs, state = follow(**progress.state(), **inputs)
            progress.advance(state)
            return outputs

        program = self.inference(model, forward)

        def restarted(change: Callable[..., None]) -> Callable[..., None]:
            def changed(*weights: Arrays) -> None:
                change(*weights)
                progress.restart()

            return changed

        return replace(program, load_weights=restarted(program.load_weights), initialise=restarted(program.initialise))
