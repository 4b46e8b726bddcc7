"""Convolution of images by Fourier transform in TensorFlow."""

from __future__ import annotations

import tensorflow as tf

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Kit) -> Program:
    """images (B, n, n), transfer (n, n) -> images (B, n, n)."""
    return kit.kernel(
        lambda images, transfer: {"images": tf.signal.ifft2d(tf.signal.fft2d(images) * transfer)},
    )
