"""Variational autoencoder in TensorFlow."""

from __future__ import annotations

import keras
import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.vae import spec


class Vae(keras.Layer):
    """Encoder to a normal distribution of codes, decoder from one of them."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.hidden = kit.dense(spec.PIXELS, size.hidden)
        self.mean = kit.dense(size.hidden, size.code)
        self.log_variance = kit.dense(size.hidden, size.code)
        self.up = kit.dense(size.code, size.hidden)
        self.pixels = kit.dense(size.hidden, spec.PIXELS)

    def encode(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(B, 784) -> mean and logarithm of the variance, (B, code) each."""
        x = tf.nn.relu(self.hidden(images))
        return self.mean(x), self.log_variance(x)

    def decode(self, code: tf.Tensor) -> tf.Tensor:
        """(B, code) -> logits of the pixels (B, 784)."""
        return self.pixels(tf.nn.relu(self.up(code)))

    def call(self, images: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """images (B, 784), noise (B, code) -> logits (B, 784), mean and logarithm of the variance (B, code)."""
        mean, log_variance = self.encode(images)
        return self.decode(mean + noise * tf.exp(log_variance / 2)), mean, log_variance


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images and noise -> loss and its divergence, or noise -> images."""
    model = kit.prepare(Vae(kit, size), spec.INITIAL)
    if phase == "generation":
        return kit.inference(model, lambda noise: {"images": tf.sigmoid(model.decode(noise))})

    def forward(images: tf.Tensor, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, mean, log_variance = model(images, noise, training=True)
        mean, log_variance = kit.widen(mean), kit.widen(log_variance)
        terms = tf.square(mean) + tf.exp(log_variance) - log_variance - 1
        divergence = tf.reduce_mean(tf.reduce_sum(terms, 1)) / 2  # appendix B
        return {"loss": kit.bernoulli_loss(logits, images) + divergence, "divergence": divergence}

    return kit.training(model, forward, spec.OPTIMIZER)
