"""Variational autoencoder in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size
from joulemark.workloads.vae import spec


class Vae(nn.Module):
    """Encoder to a normal distribution of codes, decoder from one of them."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.hidden = kit.dense(spec.PIXELS, size.hidden)
        self.mean = kit.dense(size.hidden, size.code)
        self.log_variance = kit.dense(size.hidden, size.code)
        self.up = kit.dense(size.code, size.hidden)
        self.pixels = kit.dense(size.hidden, spec.PIXELS)

    def encode(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 784) -> mean and logarithm of the variance, (B, code) each."""
        x = F.relu(self.hidden(images))
        return self.mean(x), self.log_variance(x)

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """(B, code) -> logits of the pixels (B, 784)."""
        return self.pixels(F.relu(self.up(code)))

    def forward(self, images: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """images (B, 784), noise (B, code) -> logits (B, 784), mean and logarithm of the variance (B, code)."""
        mean, log_variance = self.encode(images)
        return self.decode(mean + noise * torch.exp(log_variance / 2)), mean, log_variance


def build(size: Size, phase: Phase, kit: Kit) -> Program:
    """images and noise -> loss and its divergence, or noise -> images."""
    model = kit.prepare(Vae(kit, size), spec.INITIAL)
    if phase == "generation":
        return kit.inference(model, lambda noise: {"images": torch.sigmoid(model.decode(noise))})

    def forward(images: torch.Tensor, noise: torch.Tensor) -> dict[str, torch.Tensor]:
        logits, mean, log_variance = model(images, noise)
        mean, log_variance = kit.widen(mean), kit.widen(log_variance)
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2  # appendix B
        return {"loss": kit.bernoulli_loss(logits, images) + divergence, "divergence": divergence}

    return kit.training(model, forward, spec.OPTIMIZER)
