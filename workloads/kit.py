"""What a framework's kit gives to `build`: tensors, layers and steps with one definition in every framework.

Tensors, layers and models are the framework's own classes. Images are (batch, height, width, channel) wherever a
workload's inputs and outputs are concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from joulemark.workloads.initial import Spread
from joulemark.workloads.spec import Optimizer, Phase, Program, Size

Tensor = Any
Layer = Any
Model = Any
Outputs = Mapping[str, Tensor]
"""Named tensors that a step returns, such as `logits`; `loss` is what a training descends."""
Forward = Callable[..., Outputs]
"""Takes the workload's inputs by name."""
State = Mapping[str, Tensor]
"""What a step leaves for the next one, by name, such as `token`."""


class Cache(Protocol):
    """Keys and values of a fixed number of places, (B, heads, S, D) each; zeros until they are written in place."""

    def fill(self, k: Tensor, v: Tensor) -> None:
        """Write k, v (B, heads, T, D) to the first T places."""

    def extend(self, place: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write k, v (B, heads, 1, D) to the place (1,) and return those of all places."""

    def whole(self) -> tuple[Tensor, Tensor]:
        """Return keys and values of all places."""


class Kit(Protocol):
    """One framework on one device, in one precision, with one seed."""

    seed: int
    """Seed of the weights, and of what else a build draws."""
    device: Any
    """The framework's name of the device."""
    dtype: Any
    """The framework's dtype of weights: of the case's precision, but float32 in training; float64 in proofs."""
    compute_dtype: Any
    """The framework's dtype of the case's precision."""
    learning_rate_factor: float
    """What optimizers' learning rates are multiplied by: 1 in proofs, next to nothing in trials."""

    # Tensors

    def tensor(self, array: np.ndarray) -> Tensor:
        """Return the array on the device: floating point in the case's precision, integers as they are."""

    def array(self, tensor: Tensor) -> np.ndarray:
        """Return the tensor as a numpy array, floating point as float64."""

    def constant(self, array: np.ndarray) -> Tensor:
        """Return numbers that a layer adds or multiplies by, in the case's precision, on the device."""

    def lookup_table(self, array: np.ndarray) -> Tensor:
        """Return numbers to look up, in float32 at least, on the device."""

    def widen(self, x: Tensor) -> Tensor:
        """Return x in float32 at least."""

    # Programs: what a trial runs

    def prepare(self, model: Model, spread: Spread) -> Model:
        """Return the model on the device, with weights drawn by `workloads.initial`."""

    def kernel(self, compute: Forward) -> Program:
        """Return a step without weights or gradients."""

    def inference(self, model: Model, forward: Forward) -> Program:
        """Return forward passes in evaluation mode, without gradients."""

    def generation(
        self, model: Model, begin: Callable[[], State], follow: Callable[..., tuple[Outputs, State]], count: int
    ) -> Program:
        """Return a sampling step, in evaluation mode, that starts where the step before has ended.

        `begin()` returns the first state, once the program is built and whenever its weights are set: it reads a
        prompt, say, into caches. `follow(index=, **state, **inputs)` returns outputs and the next state, whose tensors
        keep shape and dtype; `index` (1,) counts the steps from 0. After `count` steps both start anew.
        """

    def response(
        self,
        model: Model,
        prompt: Mapping[str, Tensor],
        read: Callable[..., tuple[Outputs, State]],
        follow: Callable[..., tuple[Outputs, State]],
        count: int,
    ) -> Program:
        """Return a prefill, and the generation that goes on from it: a `Program` of phase `response`.

        `read(**prompt)` returns outputs and the first state, as `begin` of `generation` does. It has read `prompt` once
        the program is built and whenever its weights are set, and then what each prefill is given. `follow` and
        `count` are as in `generation`: after `count` steps generation starts anew, behind the last prefill.
        """

    def cache(self, batch: int, heads: int, length: int, width: int) -> Cache:
        """Return a cache of `length` places, with heads of `width`."""

    def training(self, model: Model, forward: Forward, optimizer: Optimizer) -> Program:
        """Return a training step: forward, backward from the output `loss`, and the optimizer's update."""

    def alternating_training(
        self, model: Model, players: Sequence[tuple[Model, Forward]], optimizer: Optimizer
    ) -> Program:
        """Return one step of several trainings, one after another.

        Each of `players` is a part of the model and its forward function, and has an optimizer of its own. Outputs
        named `loss` are added up.
        """

    def layer(
        self, forward: Callable[..., Tensor], model: Model | None = None, optimizer: Optimizer | None = None
    ) -> Program:
        """Return forward and backward of one layer, from a given gradient `upstream` of its output.

        It ends at the gradient of the input `x` and of the weights, which the optimizer then moves.
        """

    # Layers

    def conv(
        self, width_in: int, width: int, size: int, stride: int = 1, *, padding: int | None = None, bias: bool = True
    ) -> Layer:
        """Return a 2-D convolution, padded on all four sides alike: by size // 2, or by `padding`."""

    def transposed_conv(self, width_in: int, width: int, size: int, stride: int, padding: int) -> Layer:
        """Return a transposed 2-D convolution without bias: edge -> (edge - 1) stride + size - 2 padding."""

    def depthwise_conv(self, width: int, size: int, stride: int = 1) -> Layer:
        """Return a convolution of each channel by itself, padded by size // 2, without bias."""

    def dense(self, width_in: int, width: int, *, bias: bool = True) -> Layer:
        """Return x W + b over the last axis."""

    def batch_norm(self, width: int, *, epsilon: float = 1e-5, momentum: float = 0.9) -> Layer:
        """Return batch normalisation over all but the channels.

        running <- momentum running + (1 - momentum) batch, with the unbiased variance of the batch.
        """

    def layer_norm(self, width: int, *, epsilon: float = 1e-5) -> Layer:
        """Return layer normalisation over the last axis."""

    def rms_norm(self, width: int, *, epsilon: float = 1e-5) -> Layer:
        """Return division by the root mean square over the last axis, and a scale."""

    def group_norm(self, width: int, groups: int, *, epsilon: float = 1e-6) -> Layer:
        """Return normalisation over the image and the channels of each group."""

    def embedding(self, count: int, width: int, *, sparse: bool = False) -> Layer:
        """Return a table of `count` vectors; the gradient of a `sparse` one has only the rows looked up."""

    def experts(self, count: int, width_in: int, width: int) -> Layer:
        """Return `count` dense layers without bias for rows of their own: (count, N, width_in) -> (count, N, width)."""

    def lstm(self, width_in: int, width: int) -> Layer:
        """Return an LSTM: x (B, T, width_in) -> states (B, T, width), and the last state and cell."""

    def freeze(self, layer: Layer) -> None:
        """Exclude the layer's weights from training; its batch norms use their running statistics."""

    # Functions of tensors

    def to_image_layout(self, x: Tensor) -> Tensor:
        """Return images (B, H, W, C) in the layout of the framework's convolutions."""

    def from_image_layout(self, x: Tensor) -> Tensor:
        """Return images in the layout of the framework's convolutions as (B, H, W, C)."""

    def upsample(self, x: Tensor) -> Tensor:
        """Return images of twice the height and width, each pixel four times."""

    def mean_pool(self, x: Tensor) -> Tensor:
        """Return the mean over each image, (B, C)."""

    def max_pool(self, x: Tensor, size: int, stride: int, padding: int = 0) -> Tensor:
        """Return the maximum over windows; the border is padded with minus infinity."""

    def split_heads(self, x: Tensor, count: int) -> Tensor:
        """Return (B, T, C) as (B, heads, T, C / heads)."""

    def merge_heads(self, x: Tensor) -> Tensor:
        """Return (B, heads, T, D) as (B, T, heads D)."""

    def attention(
        self, q: Tensor, k: Tensor, v: Tensor, *, causal: bool = False, visible: Tensor | None = None
    ) -> Tensor:
        """Return softmax(q k^T / sqrt(D)) v for q (B, heads, T, D) and k, v (B, heads, S, D): (B, heads, T, D).

        k and v may have fewer heads: each then serves as many heads of q in a row as there are to one. `visible`
        (T, S), boolean: which keys a query sees; with `causal`, those up to its own place; otherwise all.
        """

    def tied_logits(self, x: Tensor, embedding: Layer) -> Tensor:
        """Return the products of x (B, T, C) with all vectors of the embedding, (B, T, count)."""

    # Losses, in float32 at least

    def cross_entropy(self, logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the mean over all labels of -log softmax(logits)[label].

        With `smoothing`, the label has 1 - smoothing of the weight and all classes share the rest.
        """

    def bernoulli_loss(self, logits: Tensor, pixels: Tensor) -> Tensor:
        """Return the cross-entropy of pixels in [0, 1], summed over each sample and averaged over the batch."""

    def real_fake_loss(self, logits: Tensor, truth: float) -> Tensor:
        """Return the mean cross-entropy of a discriminator's logits, all of whose answers are `truth` (0 or 1)."""

    def squared_error(self, guesses: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over all numbers of (guess - target)^2."""


Build = Callable[[Size, Phase, Kit], Program]
"""`build(size, phase, kit)` of a workload's implementation; the size is `Size.at(batch size)`."""
