"""Convolution of images by Fourier transform in PyTorch."""

from __future__ import annotations

from typing import Any

import torch

from joulemark.workloads.spec import Phase, Program, Size


def build(_size: Size, _phase: Phase, kit: Any) -> Program:
    """images (B, n, n), transfer (n, n) -> images (B, n, n)."""
    return kit.kernel(
        lambda images, transfer: {"images": torch.fft.ifft2(torch.fft.fft2(images) * transfer)},
    )
