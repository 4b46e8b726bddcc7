"""Denoising diffusion model in JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from joulemark.workloads.ddpm import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Attention(nnx.Module):
    """Self-attention of one head over all pixels, in a residual branch."""

    def __init__(self, kit: Kit, size: Size, width: int) -> None:
        self.kit = kit
        self.norm = kit.group_norm(width, size.groups)
        self.query = kit.dense(width, width)
        self.key = kit.dense(width, width)
        self.value = kit.dense(width, width)
        self.out = kit.dense(width, width)

    def __call__(self, x: jax.Array) -> jax.Array:
        """(B, H, W, C) -> the same."""
        batch, height, columns, width = x.shape
        rows = self.norm(x).reshape(batch, height * columns, width)  # (B, H W, C)
        q, k, v = (self.kit.split_heads(dense(rows), 1) for dense in (self.query, self.key, self.value))
        mixed = self.out(self.kit.merge_heads(self.kit.attention(q, k, v)))  # (B, H W, C)
        return x + mixed.reshape(x.shape)


class Residual(nnx.Module):
    """Two convolutions with the time embedding between them, in a residual branch.

    Then attention, where the plan has it.
    """

    def __init__(self, kit: Kit, size: Size, block: spec.Block) -> None:
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

    def __call__(self, x: jax.Array, time: jax.Array) -> jax.Array:
        """x (B, H, W, width_in), time (B, 4 width) -> (B, H, W, width)."""
        y = self.conv1(jax.nn.silu(self.norm1(x)))
        y = y + self.time(jax.nn.silu(time))[:, None, None, :]
        y = self.conv2(jax.nn.silu(self.norm2(y)))
        y = y + (self.shortcut(x) if self.widens else x)
        return self.attention(y) if self.attends else y


class UNet(nnx.Module):
    """Predict the noise in an image: down to the smallest images and up again, with skip connections."""

    def __init__(self, kit: Kit, size: Size) -> None:
        self.kit = kit
        plan = spec.plan(size)
        self.frequencies = kit.lookup_table(spec.frequencies(size))
        self.time1 = kit.dense(size.width, 4 * size.width)
        self.time2 = kit.dense(4 * size.width, 4 * size.width)
        self.conv_in = kit.conv(3, size.width, 3)
        self.down = nnx.List([nnx.List([Residual(kit, size, b) for b in level]) for level in plan.down])
        self.shrink = nnx.List([kit.conv(level[-1].width, level[-1].width, 3, 2) for level in plan.down[:-1]])
        self.middle = nnx.List([Residual(kit, size, block) for block in plan.middle])
        self.up = nnx.List([nnx.List([Residual(kit, size, b) for b in level]) for level in plan.up])
        self.grow = nnx.List([kit.conv(level[-1].width, level[-1].width, 3) for level in plan.up[:-1]])
        self.norm_out = kit.group_norm(size.width, size.groups)
        self.conv_out = kit.conv(size.width, 3, 3)

    def embed(self, times: jax.Array) -> jax.Array:
        """(B,) -> (B, 4 width)."""
        angles = times[:, None] * self.frequencies  # (B, width / 2)
        waves = jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=1)
        return self.time2(jax.nn.silu(self.time1(waves)))

    def __call__(self, images: jax.Array, times: jax.Array) -> jax.Array:
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
                x = block(jnp.concatenate([x, skips.pop()], axis=-1), time)
        return self.conv_out(jax.nn.silu(self.norm_out(x)))


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images, noise and times -> loss; in generation, noise and the images so far -> images one step less noisy."""
    model = kit.prepare(UNet(kit, size), spec.initial)
    schedule = spec.schedule()

    def at(table: jax.Array, times: jax.Array) -> jax.Array:
        """(STEPS,) at (B,) -> (B, 1, 1, 1)."""
        return table[times][:, None, None, None]

    if phase == "generation":
        scale = kit.lookup_table(schedule.alpha**-0.5)
        share = kit.lookup_table(schedule.beta * (1 - schedule.kept) ** -0.5)
        spread = kit.lookup_table(np.where(np.arange(spec.STEPS), schedule.beta**0.5, 0.0))  # the last step adds none
        first = kit.tensor(spec.start(size, kit.seed))

        def follow(
            index: jax.Array, images: jax.Array, noise: jax.Array
        ) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
            times = jnp.repeat(spec.STEPS - 1 - index, size.batch)  # (B,)
            images, noise = kit.widen(images), kit.widen(noise)
            guess = kit.widen(model(images, times))
            mean = at(scale, times) * (images - at(share, times) * guess)
            images = mean + at(spread, times) * noise  # algorithm 2
            return {"images": images}, {"images": images.astype(kit.compute_dtype)}

        return kit.generation(model, lambda: {"images": first}, follow, spec.STEPS)

    signal, sigma = kit.lookup_table(schedule.kept**0.5), kit.lookup_table((1 - schedule.kept) ** 0.5)

    def forward(images: jax.Array, noise: jax.Array, times: jax.Array) -> dict[str, jax.Array]:
        images, noise = kit.widen(images), kit.widen(noise)
        noised = at(signal, times) * images + at(sigma, times) * noise  # algorithm 1
        return {"loss": kit.squared_error(model(noised, times), noise)}

    return kit.training(model, forward, spec.OPTIMIZER)
