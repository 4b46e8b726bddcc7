"""Golden values of mobilenetv2 and of the transfer from it, from the layers of transformers' MobileNetV2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
import transformers
from golden_values import Golden
from torch import nn
from transformers.models.mobilenet_v2.modeling_mobilenet_v2 import MobileNetV2ConvLayer, MobileNetV2InvertedResidual

from studies.golden.torch_reference import (
    Descent,
    Reference,
    channels_first,
    cross_entropy,
    inference,
    layers,
    training,
)

SOURCE = f"transformers {transformers.__version__} MobileNetV2ConvLayer and MobileNetV2InvertedResidual"
FACTORS = {"*norm.gamma": 4.0}
"""Normalised activations hardly reach 6 otherwise, where relu6 ends."""
IMAGES = {"images": (4, 32, 32, 3)}
LABELS = {"labels": np.array([3, 1, 4, 1])}


class Tiny(nn.Module):
    """One block that does not expand, then two that widen twofold to 8 channels and two to 16; 32 features."""

    def __init__(self) -> None:
        super().__init__()
        config = transformers.MobileNetV2Config(expand_ratio=2.0, tf_padding=False, layer_norm_eps=1e-5)
        self.stem = MobileNetV2ConvLayer(config, 3, 8, kernel_size=3, stride=2)
        self.filter = MobileNetV2ConvLayer(config, 8, 8, kernel_size=3, groups=8)
        self.project = MobileNetV2ConvLayer(config, 8, 8, kernel_size=1, use_activation=False)
        self.blocks = nn.ModuleList(
            MobileNetV2InvertedResidual(config, width_in, width, stride)
            for width_in, width, stride in [(8, 8, 2), (8, 8, 1), (8, 16, 1), (16, 16, 1)]
        )
        self.last = MobileNetV2ConvLayer(config, 16, 32, kernel_size=1)
        self.head = nn.Linear(32, 10)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1  # transformers' 0.997 is TensorFlow's sense of it

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 32, 32, 3) -> logits (B, 10)."""
        x = self.stem(channels_first(images))
        x = x + self.project(self.filter(x))
        for block in self.blocks:
            x = block(x)
        return self.head(self.last(x).mean((2, 3)))

    def named(self) -> dict[str, nn.Module]:
        """Return all layers by neutral name."""
        convs: dict[str, MobileNetV2ConvLayer] = {
            "stem": self.stem,
            "blocks.0.filter": self.filter,
            "blocks.0.project": self.project,
        }
        for index, block in enumerate(self.blocks, start=1):
            convs[f"blocks.{index}.expand"] = block.expand_1x1
            convs[f"blocks.{index}.filter"] = block.conv_3x3
            convs[f"blocks.{index}.project"] = block.reduce_1x1
        convs["last"] = self.last
        named: dict[str, nn.Module] = {"head": self.head}
        for name, conv in convs.items():
            named |= {f"encoder.{name}": conv.convolution, f"encoder.{name}_norm": conv.normalization}
        return named


def learning(model: Tiny) -> Reference:
    """Return the training of a model."""
    return Reference(
        SOURCE, layers(model.named()), lambda images, labels: {"loss": cross_entropy(model(images), labels)}
    )


def descent(rate: float) -> Descent:
    """Return SGD with the paper's weight decay."""
    return Descent(partial(torch.optim.SGD, lr=rate, momentum=0.9), weight_decay=4e-5)


def mobilenetv2() -> Iterator[Golden]:
    """Yield the classifier of 10 classes on images of 32 x 32."""
    model = Tiny().double().eval()
    reference = Reference(SOURCE, layers(model.named()), lambda images: {"logits": model(images)})
    yield inference("mobilenetv2", reference, IMAGES, FACTORS)
    yield training("mobilenetv2", learning(model.train()), {**IMAGES, **LABELS}, descent(0.01), FACTORS)


def finetune() -> Iterator[Golden]:
    """Yield the training of all layers with a small learning rate."""
    model = Tiny().double().train()
    yield training("transfer.finetune", learning(model), {**IMAGES, **LABELS}, descent(0.001), FACTORS)


def frozen() -> Iterator[Golden]:
    """Yield the training with the stem and the first block frozen: they use their moving statistics."""
    model = Tiny().double().train()
    for part in (model.stem, model.filter, model.project):
        part.eval().requires_grad_(False)
    yield training("transfer.frozen", learning(model), {**IMAGES, **LABELS}, descent(0.01), FACTORS)


GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {
    "mobilenetv2": mobilenetv2,
    "transfer.finetune": finetune,
    "transfer.frozen": frozen,
}
