"""Small convolutional network in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.cnn import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Block(nnx.Module):
    """Convolution 3 x 3, batch norm, ReLU."""

    def __init__(self, kit: Kit, width_in: int, width: int, stride: int) -> None:
        self.conv = kit.conv(width_in, width, 3, stride, bias=False)
        self.norm = kit.batch_norm(width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, H, W, width_in) -> (B, H / stride, W / stride, width)."""
        return jax.nn.relu(self.norm(self.conv(x)))


class Cnn(nnx.Module):
    """Blocks, mean over the image, classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit = kit
        self.blocks = nnx.List([Block(kit, c.width_in, c.width, stride) for c, stride in spec.convolutions(size)])
        self.head = kit.dense(size.widths[-1], spec.CLASSES)

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, 32, 32, 3) -> logits (B, 10)."""
        x = self.kit.to_image_layout(images)  # (B, 32, 32, 3)
        for block in self.blocks:
            x = block(x)
        return self.head(self.kit.mean_pool(x))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(Cnn(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
