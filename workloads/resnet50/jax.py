"""ResNet-50 in JAX."""

from __future__ import annotations

import jax
from flax import nnx

from joulemark.workloads.kit import Kit
from joulemark.workloads.resnet50 import spec
from joulemark.workloads.spec import Phase, Program, Size


class Bottleneck(nnx.Module):
    """Residual block of 1 x 1, 3 x 3 and 1 x 1 convolution, each with batch norm."""

    def __init__(self, kit: Kit, width_in: int, width: int, strides: tuple[int, int], *, project: bool) -> None:
        width_out = spec.EXPANSION * width
        self.conv1 = kit.conv(width_in, width, 1, strides[0], bias=False)
        self.norm1 = kit.batch_norm(width)
        self.conv2 = kit.conv(width, width, 3, strides[1], bias=False)
        self.norm2 = kit.batch_norm(width)
        self.conv3 = kit.conv(width, width_out, 1, bias=False)
        self.norm3 = kit.batch_norm(width_out)
        self.project = project
        if project:
            self.shortcut_conv = kit.conv(width_in, width_out, 1, strides[0] * strides[1], bias=False)
            self.shortcut_norm = kit.batch_norm(width_out)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, H, W, width_in) -> (B, H / stride, W / stride, 4 width)."""
        shortcut = self.shortcut_norm(self.shortcut_conv(x)) if self.project else x
        x = jax.nn.relu(self.norm1(self.conv1(x)))
        x = jax.nn.relu(self.norm2(self.conv2(x)))
        x = self.norm3(self.conv3(x))
        return jax.nn.relu(x + shortcut)


class Encoder(nnx.Module):
    """Stem and four stages, then the mean over the image."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit = kit
        self.stem_conv = kit.conv(3, size.stem, 7, 2, bias=False)
        self.stem_norm = kit.batch_norm(size.stem)
        self.blocks = nnx.List([])
        width_in = size.stem
        for stage, depth in enumerate(size.depths):
            width = size.stem * 2**stage
            for block in range(depth):
                strides = spec.strides(size, stage, block)
                self.blocks.append(Bottleneck(kit, width_in, width, strides, project=not block))
                width_in = spec.EXPANSION * width

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, edge, edge, 3) -> features (B, 32 stem)."""
        x = self.kit.to_image_layout(images)  # (B, edge, edge, 3)
        x = jax.nn.relu(self.stem_norm(self.stem_conv(x)))  # (B, edge / 2, edge / 2, stem)
        x = self.kit.max_pool(x, 3, 2, padding=1)
        for block in self.blocks:
            x = block(x)
        return self.kit.mean_pool(x)


class ResNet(nnx.Module):
    """Encoder and classifier."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.encoder = Encoder(kit, size)
        self.head = kit.dense(spec.features(size), size.classes)

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, edge, edge, 3) -> logits (B, classes)."""
        return self.head(self.encoder(images))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images -> logits, or images and labels -> loss."""
    model = kit.prepare(ResNet(kit, size), spec.initial)
    if phase == "inference":
        return kit.inference(model, lambda images: {"logits": model(images)})

    def forward(images: jax.Array, labels: jax.Array) -> dict[str, jax.Array]:
        return {"loss": kit.cross_entropy(model(images), labels)}

    return kit.training(model, forward, spec.OPTIMIZER)
