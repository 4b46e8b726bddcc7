"""Denoising diffusion model in TensorFlow."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from joulemark.workloads.ddpm import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Attention(keras.Layer):
    """Self-attention of one head over all pixels, in a residual branch."""

    def __init__(self, kit: Kit, size: Size, width: int) -> None:
        super().__init__()
        self.kit = kit
        self.norm = kit.group_norm(width, size.groups)
        self.query = kit.dense(width, width)
        self.key = kit.dense(width, width)
        self.value = kit.dense(width, width)
        self.out = kit.dense(width, width)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C) -> the same."""
        batch, height, columns, width = x.shape
        rows = tf.reshape(self.norm(x), (batch, height * columns, width))  # (B, H W, C)
        q, k, v = (self.kit.split_heads(dense(rows), 1) for dense in (self.query, self.key, self.value))
        mixed = self.out(self.kit.merge_heads(self.kit.attention(q, k, v)))  # (B, H W, C)
        return x + tf.reshape(mixed, x.shape)


class Residual(keras.Layer):
    """Two convolutions with the time embedding between them, in a residual branch.

    Then attention, where the plan has it.
    """

    def __init__(self, kit: Kit, size: Size, block: spec.Block) -> None:
        super().__init__()
        self.kit, self.widens, self.attends = kit, block.width_in != block.width, block.attention
        self.norm1 = kit.group_norm(block.width_in, size.groups)
        self.conv1 = kit.conv(block.width_in, block.width, 3)
        self.time = kit.dense(4 * size.width, block.width)
        self.norm2 = kit.group_norm(block.width, size.groups)
        self.conv2 = kit.conv(block.width, block.width, 3)
        if self.widens:
            self.shortcut = kit.conv(block.width_in, block.width, 1)
        if self.attends:
            self.attention = Attention(kit, size, block.width)

    def call(self, x: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        """x (B, H, W, width_in), time (B, 4 width) -> (B, H, W, width)."""
        y = self.conv1(tf.nn.silu(self.norm1(x)))
        y = y + self.time(tf.nn.silu(time))[:, None, None, :]
        y = self.conv2(tf.nn.silu(self.norm2(y)))
        y = y + (self.shortcut(x) if self.widens else x)
        return self.attention(y) if self.attends else y


class UNet(keras.Layer):
    """Predict the noise in an image: down to the smallest images and up again, with skip connections."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        plan = spec.plan(size)
        self.frequencies = kit.lookup_table(spec.frequencies(size))
        self.time1 = kit.dense(size.width, 4 * size.width)
        self.time2 = kit.dense(4 * size.width, 4 * size.width)
        self.conv_in = kit.conv(3, size.width, 3)
        self.down = [[Residual(kit, size, b) for b in level] for level in plan.down]
        self.shrink = [kit.conv(level[-1].width, level[-1].width, 3, 2) for level in plan.down[:-1]]
        self.middle = [Residual(kit, size, block) for block in plan.middle]
        self.up = [[Residual(kit, size, b) for b in level] for level in plan.up]
        self.grow = [kit.conv(level[-1].width, level[-1].width, 3) for level in plan.up[:-1]]
        self.norm_out = kit.group_norm(size.width, size.groups)
        self.conv_out = kit.conv(size.width, 3, 3)

    def embed(self, times: tf.Tensor) -> tf.Tensor:
        """(B,) -> (B, 4 width)."""
        angles = tf.cast(times[:, None], self.frequencies.dtype) * self.frequencies  # (B, width / 2)
        waves = tf.concat([tf.sin(angles), tf.cos(angles)], axis=1)
        return self.time2(tf.nn.silu(self.time1(waves)))

    def call(self, images: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        """images (B, edge, edge, 3), times (B,) -> noise (B, edge, edge, 3)."""
        time = self.embed(times)
        x = self.conv_in(images)  # (B, edge, edge, width)
        skips = [x]
        for index, level in enumerate(self.down):
            if index:
                x = self.shrink[index - 1](x)
                skips.append(x)
            for block in level:
                x = block(x, time)
                skips.append(x)
        for block in self.middle:
            x = block(x, time)
        for index, level in enumerate(self.up):
            if index:
                x = self.grow[index - 1](self.kit.upsample(x))
            for block in level:
                x = block(tf.concat([x, skips.pop()], axis=-1), time)
        return self.conv_out(tf.nn.silu(self.norm_out(x)))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images, noise and times -> loss; in generation, noise and the images so far -> images one step less noisy."""
    model = kit.prepare(UNet(kit, size), spec.initial)
    schedule = spec.schedule()

    def at(table: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        """(STEPS,) at (B,) -> (B, 1, 1, 1)."""
        return tf.gather(table, times)[:, None, None, None]

    if phase == "generation":
        scale = kit.lookup_table(schedule.alpha**-0.5)
        share = kit.lookup_table(schedule.beta * (1 - schedule.kept) ** -0.5)
        spread = kit.lookup_table(np.where(np.arange(spec.STEPS), schedule.beta**0.5, 0.0))  # the last step adds none
        first = kit.tensor(spec.start(size, kit.seed))

        def follow(
            index: tf.Tensor, images: tf.Tensor, noise: tf.Tensor
        ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
            times = tf.repeat(spec.STEPS - 1 - index, size.batch)  # (B,)
            images, noise = kit.widen(images), kit.widen(noise)
            guess = kit.widen(model(images, times, training=False))
            mean = at(scale, times) * (images - at(share, times) * guess)
            images = mean + at(spread, times) * noise  # algorithm 2
            return {"images": images}, {"images": tf.cast(images, kit.compute_dtype)}

        return kit.generation(model, lambda: {"images": first}, follow, spec.STEPS)

    signal, sigma = kit.lookup_table(schedule.kept**0.5), kit.lookup_table((1 - schedule.kept) ** 0.5)

    def forward(images: tf.Tensor, noise: tf.Tensor, times: tf.Tensor) -> dict[str, tf.Tensor]:
        images, noise = kit.widen(images), kit.widen(noise)
        noised = at(signal, times) * images + at(sigma, times) * noise  # algorithm 1
        return {"loss": kit.squared_error(model(noised, times, training=True), noise)}

    return kit.training(model, forward, spec.OPTIMIZER)
