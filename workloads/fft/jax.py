"""Convolution of images by Fourier transform in JAX."""

from __future__ import annotations

import jax.numpy as jnp

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Kit) -> Program:
    """images (B, n, n), transfer (n, n) -> images (B, n, n)."""
    return kit.kernel(
        lambda images, transfer: {"images": jnp.fft.ifft2(jnp.fft.fft2(images) * transfer)},
    )
