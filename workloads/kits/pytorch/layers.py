"""PyTorch layers with the same definitions as the TensorFlow kit's.

Every argument whose default differs between the frameworks is given here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Lstm(nn.LSTM):
    """LSTM that casts its input itself.

    PyTorch 2.13 on a CPU selects the kernel by the dtype before autocast casts: fp16 training then selects oneDNN's
    LSTM, which supports fp16 for inference only, and raises.
    """

    def forward(self, x: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        """Return (states (B, T, width), (last state, last cell)) for x (B, T, width_in)."""
        kind = x.device.type
        if torch.is_autocast_enabled(kind):
            x = x.to(torch.get_autocast_dtype(kind))
        output: tuple[torch.Tensor, Any] = super().forward(x, state)
        return output


class Experts(nn.Module):
    """Dense layers without bias, each for rows of its own."""

    def __init__(self, count: int, width_in: int, width: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(count, width_in, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(count, N, width_in) -> (count, N, width)."""
        return torch.bmm(x, self.kernel)


class Layers:
    """Layers, tensor functions and losses of the `Kit` protocol."""

    device: torch.device
    compute_dtype: torch.dtype
    wide: torch.dtype

    def conv(
        self, width_in: int, width: int, size: int, stride: int = 1, *, padding: int | None = None, bias: bool = True
    ) -> nn.Module:
        """Return a 2-D convolution, padded equally on all four sides: by size // 2, or by `padding`."""
        return nn.Conv2d(width_in, width, size, stride, size // 2 if padding is None else padding, bias=bias)

    def transposed_conv(self, width_in: int, width: int, size: int, stride: int, padding: int) -> nn.Module:
        """Return a transposed 2-D convolution without bias: edge -> (edge - 1) stride + size - 2 padding."""
        return nn.ConvTranspose2d(width_in, width, size, stride, padding, bias=False)

    def depthwise_conv(self, width: int, size: int, stride: int = 1) -> nn.Module:
        """Return a depthwise convolution, padded by size // 2, without bias."""
        return nn.Conv2d(width, width, size, stride, padding=size // 2, groups=width, bias=False)

    def dense(self, width_in: int, width: int, *, bias: bool = True) -> nn.Module:
        """Return a dense layer: x W + b over the last axis."""
        return nn.Linear(width_in, width, bias=bias)

    def batch_norm(self, width: int, *, epsilon: float = 1e-5, momentum: float = 0.9) -> nn.Module:
        """Return batch normalisation over all but the channels.

        running <- momentum running + (1 - momentum) batch, with the unbiased variance of the batch. PyTorch calls
        1 - momentum its `momentum`.
        """
        return nn.BatchNorm2d(width, eps=epsilon, momentum=1 - momentum)

    def layer_norm(self, width: int, *, epsilon: float = 1e-5) -> nn.Module:
        """Return layer normalisation over the last axis."""
        return nn.LayerNorm(width, eps=epsilon)

    def rms_norm(self, width: int, *, epsilon: float = 1e-5) -> nn.Module:
        """Return division by the root mean square over the last axis, and a scale."""
        return nn.RMSNorm(width, eps=epsilon)

    def group_norm(self, width: int, groups: int, *, epsilon: float = 1e-6) -> nn.Module:
        """Return normalisation over the image and the channels of each group."""
        return nn.GroupNorm(groups, width, eps=epsilon)

    def embedding(self, count: int, width: int, *, sparse: bool = False) -> nn.Module:
        """Return an embedding table of `count` vectors; the gradient of a `sparse` one has only the rows looked up."""
        if not sparse:
            return nn.Embedding(count, width)
        from joulemark.workloads.kits.pytorch.sparse_embedding import SparseEmbedding

        return SparseEmbedding(count, width)

    def experts(self, count: int, width_in: int, width: int) -> nn.Module:
        """Return `count` dense layers without bias, each for rows of its own."""
        return Experts(count, width_in, width)

    def lstm(self, width_in: int, width: int) -> nn.Module:
        """Return an LSTM: x (B, T, width_in) -> (states (B, T, width), (last state, last cell)).

        It has one bias, as in Keras: PyTorch's second one, redundant, stays zero and is not trained.
        """
        layer = Lstm(width_in, width, batch_first=True)
        nn.init.zeros_(layer.bias_hh_l0).requires_grad_(False)
        return layer

    def freeze(self, layer: nn.Module) -> None:
        """Exclude the layer from training; its batch norms then use their running statistics."""
        layer.requires_grad_(False)

    def to_image_layout(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, H, W, C) as (B, C, H, W), a view.

        Memory stays channels-last, as PyTorch's guide recommends for oneDNN and tensor cores.
        """
        return x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def from_image_layout(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, C, H, W) as (B, H, W, C), a view."""
        return x.permute(0, 2, 3, 1)

    def constant(self, array: np.ndarray) -> torch.Tensor:
        """Return constants that a layer adds or multiplies by, on the device."""
        return torch.from_numpy(array).to(self.device, self.compute_dtype)

    def lookup_table(self, array: np.ndarray) -> torch.Tensor:
        """Return a lookup table on the device, in float32 at least."""
        return torch.from_numpy(array).to(self.device, self.wide)

    def widen(self, x: torch.Tensor) -> torch.Tensor:
        """Return x in float32 at least."""
        return x.to(self.wide)

    def tied_logits(self, x: torch.Tensor, embedding: nn.Module) -> torch.Tensor:
        """Return the products of x (B, T, C) with all vectors of the embedding, (B, T, count)."""
        return F.linear(x, embedding.weight)

    def upsample(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, C, H, W) as (B, C, 2 H, 2 W), by the nearest pixel."""
        return F.interpolate(x, scale_factor=2.0, mode="nearest")

    def mean_pool(self, x: torch.Tensor) -> torch.Tensor:
        """Return the mean over each image: (B, C, H, W) -> (B, C)."""
        return x.mean((2, 3))

    def max_pool(self, x: torch.Tensor, size: int, stride: int, padding: int = 0) -> torch.Tensor:
        """Return the maximum over windows; the border is padded with minus infinity."""
        return F.max_pool2d(x, size, stride, padding)

    def split_heads(self, x: torch.Tensor, count: int) -> torch.Tensor:
        """Split attention heads: (B, T, C) -> (B, heads, T, C / heads)."""
        return x.unflatten(-1, (count, -1)).transpose(1, 2)

    def merge_heads(self, x: torch.Tensor) -> torch.Tensor:
        """Merge attention heads: (B, heads, T, D) -> (B, T, heads D)."""
        return x.transpose(1, 2).flatten(2)

    def attention(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        *,
        causal: bool = False,
        visible: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return softmax(q k^T / sqrt(D)) v, (B, heads, T, D), for q (B, heads, T, D) and k, v (B, heads, S, D).

        k and v may have fewer heads: each then serves as many heads of q in a row as there are to one. `visible`
        (T, S), boolean: which keys a query sees; with `causal`, those up to its own place; otherwise all.
        """
        if q.shape[1] == k.shape[1]:
            return F.scaled_dot_product_attention(q, k, v, visible, is_causal=causal)
        if q.shape[2] > 1:
            return F.scaled_dot_product_attention(q, k, v, visible, is_causal=causal, enable_gqa=True)
        # Heads with the same keys are queries at the same place: on a GPU, no kernel takes fewer keys with a mask.
        together = q.view(q.shape[0], k.shape[1], -1, q.shape[3])  # (B, heads of k, heads of q to one, D)
        return F.scaled_dot_product_attention(together, k, v, visible).view(q.shape)

    def cross_entropy(self, logits: torch.Tensor, labels: torch.Tensor, *, smoothing: float = 0.0) -> torch.Tensor:
        """Return the mean of -log softmax(logits)[label], in float32 at least.

        With `smoothing`, the label has 1 - smoothing of the weight and all classes share the rest.
        """
        return F.cross_entropy(self.widen(logits).flatten(0, -2), labels.flatten(), label_smoothing=smoothing)

    def bernoulli_loss(self, logits: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy of pixels in [0, 1]: sum over a sample, mean over the batch, in float32 at least."""
        total = F.binary_cross_entropy_with_logits(self.widen(logits), self.widen(pixels), reduction="sum")
        return total / len(logits)

    def real_fake_loss(self, logits: torch.Tensor, truth: float) -> torch.Tensor:
        """Return the mean cross-entropy of a discriminator's logits against `truth` (0 or 1), in float32 at least."""
        return F.softplus(self.widen(-logits if truth else logits)).mean()

    def squared_error(self, guesses: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean of (guess - target)^2, in float32 at least."""
        return F.mse_loss(self.widen(guesses), self.widen(targets))
