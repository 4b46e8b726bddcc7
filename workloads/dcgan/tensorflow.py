"""Deep convolutional generative adversarial network in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.dcgan import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Generator(keras.Layer):
    """Noise to image: transposed convolutions with batch norm and ReLU."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        layers = spec.generator_layers(size)
        self.first = kit.transposed_conv(layers[0].width_in, layers[0].width, 4, 1, 0)
        self.convs = [kit.transposed_conv(layer.width_in, layer.width, 4, 2, 1) for layer in layers[1:]]
        self.norms = [kit.batch_norm(layer.width) for layer in layers[:-1]]

    def call(self, noise: tf.Tensor) -> tf.Tensor:
        """(B, 1, 1, code) -> images (B, 64, 64, 3) in [-1, 1]."""
        x = self.first(noise)  # (B, 4, 4, 8 width)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = conv(tf.nn.relu(norm(x)))
        return tf.tanh(x)


class Discriminator(keras.Layer):
    """Image to one logit: strided convolutions with batch norm and leaky ReLU."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        *layers, last = spec.discriminator_layers(size)
        self.convs = [kit.conv(layer.width_in, layer.width, 4, 2, padding=1, bias=False) for layer in layers]
        self.norms = [kit.batch_norm(layer.width) for layer in layers[1:]]
        self.last = kit.conv(last.width_in, last.width, 4, padding=0, bias=False)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """(B, 64, 64, 3) -> logits (B, 1): positive for real."""
        x = tf.nn.leaky_relu(self.convs[0](images), spec.SLOPE)
        for conv, norm in zip(self.convs[1:], self.norms, strict=True):
            x = tf.nn.leaky_relu(norm(conv(x)), spec.SLOPE)
        return self.last(x)[:, 0, 0]  # from (B, 1, 1, 1)


class Gan(keras.Layer):
    """Both."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.generator = Generator(kit, size)
        self.discriminator = Discriminator(kit, size)


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images and two noises -> both losses, or noise -> images."""
    model = kit.prepare(Gan(kit, size), spec.INITIAL)
    made, judge = model.generator, model.discriminator
    if phase == "generation":
        return kit.inference(model, lambda noise: {"images": made(noise, training=False)})

    def discriminate(images: tf.Tensor, noise_made: tf.Tensor, **_unread: tf.Tensor) -> dict[str, tf.Tensor]:
        fakes = tf.stop_gradient(made(noise_made, training=True))
        loss = kit.real_fake_loss(judge(images, training=True), 1.0) + kit.real_fake_loss(
            judge(fakes, training=True), 0.0
        )
        return {"loss": loss, "discriminator_loss": loss}

    def generate(noise: tf.Tensor, **_unread: tf.Tensor) -> dict[str, tf.Tensor]:
        loss = kit.real_fake_loss(judge(made(noise, training=True), training=True), 1.0)
        return {"loss": loss, "generator_loss": loss}

    return kit.alternating_training(model, [(judge, discriminate), (made, generate)], spec.OPTIMIZER)
