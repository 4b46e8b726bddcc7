"""MobileNetV2 in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.mobilenetv2 import spec
from joulemark.workloads.spec import Phase, Program, Size


class InvertedResidual(nnx.Module):
    """Expand 1 x 1, filter each channel 3 x 3, project 1 x 1; residual where the shapes allow it."""

    def __init__(self, kit: Kit, block: spec.Block) -> None:
        self.expands = block.expansion > 1
        self.shortcut = block.stride == 1 and block.width_in == block.width
        if self.expands:
            self.expand = kit.conv(block.width_in, block.hidden, 1, bias=False)
            self.expand_norm = kit.batch_norm(block.hidden)
        self.filter = kit.depthwise_conv(block.hidden, 3, block.stride)
        self.filter_norm = kit.batch_norm(block.hidden)
        self.project = kit.conv(block.hidden, block.width, 1, bias=False)
        self.project_norm = kit.batch_norm(block.width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, H, W, width_in) -> (B, H / stride, W / stride, width)."""
        y = x
        if self.expands:
            y = jax.nn.relu6(self.expand_norm(self.expand(y)))
        y = jax.nn.relu6(self.filter_norm(self.filter(y)))
        y = self.project_norm(self.project(y))
        return x + y if self.shortcut else y


class Encoder(nnx.Module):
    """Stem, inverted residual blocks, last 1 x 1, and the mean over the image."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit = kit
        self.stem = kit.conv(3, size.stem, 3, 2, bias=False)
        self.stem_norm = kit.batch_norm(size.stem)
        self.blocks = nnx.List([InvertedResidual(kit, block) for block in spec.blocks(size)])
        self.last = kit.conv(spec.blocks(size)[-1].width, size.features, 1, bias=False)
        self.last_norm = kit.batch_norm(size.features)

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, edge, edge, 3) -> features (B, features)."""
        x = self.kit.to_image_layout(images)  # (B, edge, edge, 3)
        x = jax.nn.relu6(self.stem_norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        x = jax.nn.relu6(self.last_norm(self.last(x)))
        return self.kit.mean_pool(x)


class MobileNet(nnx.Module):
    """Encoder and classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.encoder = Encoder(kit, size)
        self.head = kit.dense(size.features, size.classes)

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        return self.head(self.encoder(images))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(MobileNet(kit, size), spec.INITIAL)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
