"""Deep convolutional generative adversarial network in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from joulemark.workloads.dcgan import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Generator(nnx.Module):
    """Noise to image: transposed convolutions with batch norm and ReLU."""

    def __init__(self, kit: Kit, size: Size) -> None:
        layers = spec.generator_layers(size)
        self.first = kit.transposed_conv(layers[0].width_in, layers[0].width, 4, 1, 0)
        self.convs = nnx.List([kit.transposed_conv(layer.width_in, layer.width, 4, 2, 1) for layer in layers[1:]])
        self.norms = nnx.List([kit.batch_norm(layer.width) for layer in layers[:-1]])

    def __call__(self, noise: jax.Array) -> jax.Array:
        """(B, 1, 1, code) -> images (B, 64, 64, 3) in [-1, 1]."""
        x = self.first(noise)  # (B, 4, 4, 8 width)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = conv(jax.nn.relu(norm(x)))
        return jnp.tanh(x)


class Discriminator(nnx.Module):
    """Image to one logit: strided convolutions with batch norm and leaky ReLU."""

    def __init__(self, kit: Kit, size: Size) -> None:
        *layers, last = spec.discriminator_layers(size)
        self.convs = nnx.List([kit.conv(layer.width_in, layer.width, 4, 2, padding=1, bias=False) for layer in layers])
        self.norms = nnx.List([kit.batch_norm(layer.width) for layer in layers[1:]])
        self.last = kit.conv(last.width_in, last.width, 4, padding=0, bias=False)

    def __call__(self, images: jax.Array) -> jax.Array:
        """(B, 64, 64, 3) -> logits (B, 1): positive for real."""
        x = jax.nn.leaky_relu(self.convs[0](images), spec.SLOPE)
        for conv, norm in zip(self.convs[1:], self.norms, strict=True):
            x = jax.nn.leaky_relu(norm(conv(x)), spec.SLOPE)
        return self.last(x)[:, 0, 0]  # from (B, 1, 1, 1)


class Gan(nnx.Module):
    """Both."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.generator = Generator(kit, size)
        self.discriminator = Discriminator(kit, size)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images and two noises -> both losses, or noise -> images."""
    model = kit.prepare(Gan(kit, size), spec.INITIAL)
    made, judge = model.generator, model.discriminator
    if phase == "generation":
        return kit.inference(model, lambda noise: {"images": made(noise)})

    def discriminate(images: jax.Array, noise_made: jax.Array, **_unread: jax.Array) -> dict[str, jax.Array]:
        fakes = jax.lax.stop_gradient(made(noise_made))
        loss = kit.real_fake_loss(judge(images), 1.0) + kit.real_fake_loss(judge(fakes), 0.0)
        return {"loss": loss, "discriminator_loss": loss}

    def generate(noise: jax.Array, **_unread: jax.Array) -> dict[str, jax.Array]:
        loss = kit.real_fake_loss(judge(made(noise)), 1.0)
        return {"loss": loss, "generator_loss": loss}

    return kit.alternating_training(model, [(judge, discriminate), (made, generate)], spec.OPTIMIZER)
