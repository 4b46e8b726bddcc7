"""Deep convolutional generative adversarial network in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from joulemark.workloads.dcgan import spec
from joulemark.workloads.kit import Kit
from joulemark.workloads.spec import Phase, Program, Size


class Generator(nn.Module):
    """Noise to image: transposed convolutions with batch norm and ReLU."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        layers = spec.generator_layers(size)
        self.first = kit.transposed_conv(layers[0].width_in, layers[0].width, 4, 1, 0)
        self.convs = nn.ModuleList(kit.transposed_conv(layer.width_in, layer.width, 4, 2, 1) for layer in layers[1:])
        self.norms = nn.ModuleList(kit.batch_norm(layer.width) for layer in layers[:-1])

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        """(B, 1, 1, code) -> images (B, 64, 64, 3) in [-1, 1]."""
        x = self.first(self.kit.to_image_layout(noise))  # (B, 8 width, 4, 4)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = conv(F.relu(norm(x), inplace=True))
        return self.kit.from_image_layout(torch.tanh(x))


class Discriminator(nn.Module):
    """Image to one logit: strided convolutions with batch norm and leaky ReLU."""

    def __init__(self, kit: Kit, size: Size) -> None:
        super().__init__()
        self.kit = kit
        *layers, last = spec.discriminator_layers(size)
        self.convs = nn.ModuleList(
            kit.conv(layer.width_in, layer.width, 4, 2, padding=1, bias=False) for layer in layers
        )
        self.norms = nn.ModuleList(kit.batch_norm(layer.width) for layer in layers[1:])
        self.last = kit.conv(last.width_in, last.width, 4, padding=0, bias=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 64, 64, 3) -> logits (B, 1): positive for real."""
        x = F.leaky_relu(self.convs[0](self.kit.to_image_layout(images)), spec.SLOPE)
        for conv, norm in zip(self.convs[1:], self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), spec.SLOPE)
        return self.last(x).flatten(1)  # from (B, 1, 1, 1)


class Gan(nn.Module):
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
        return kit.inference(model, lambda noise: {"images": made(noise)})

    def discriminate(
        images: torch.Tensor, noise_made: torch.Tensor, **_unread: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        fakes = made(noise_made).detach()
        loss = kit.real_fake_loss(judge(images), 1.0) + kit.real_fake_loss(judge(fakes), 0.0)
        return {"loss": loss, "discriminator_loss": loss}

    def generate(noise: torch.Tensor, **_unread: torch.Tensor) -> dict[str, torch.Tensor]:
        loss = kit.real_fake_loss(judge(made(noise)), 1.0)
        return {"loss": loss, "generator_loss": loss}

    return kit.alternating_training(model, [(judge, discriminate), (made, generate)], spec.OPTIMIZER)
