"""Golden values of resnet50 and simclr, from transformers' ResNet; simclr's loss from the paper's equation 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
import transformers
from golden_values import Golden
from torch import nn

from studies.golden.torch_reference import (
    Descent,
    Reference,
    Weight,
    channels_first,
    cross_entropy,
    inference,
    layers,
    training,
)

SOURCE = f"transformers {transformers.__version__} "
TEMPERATURE = 0.5
SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9)


def tiny() -> transformers.ResNetConfig:
    """Return bottlenecks with the stride in the 3 x 3 convolution, two in the first stage and one in each other."""
    return transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[32, 64, 128, 256],
        depths=[2, 1, 1, 1],
        layer_type="bottleneck",
        downsample_in_bottleneck=False,
        num_labels=10,
    )


def encoder(resnet: transformers.ResNetModel) -> dict[str, nn.Module]:
    """Return the encoder's layers by neutral name."""
    stem = resnet.embedder.embedder
    named: dict[str, nn.Module] = {"encoder.stem_conv": stem.convolution, "encoder.stem_norm": stem.normalization}
    blocks = [block for stage in resnet.encoder.stages for block in stage.layers]
    for index, block in enumerate(blocks):
        name = f"encoder.blocks.{index}"
        for place, layer in enumerate(block.layer, start=1):
            named |= {f"{name}.conv{place}": layer.convolution, f"{name}.norm{place}": layer.normalization}
        if not isinstance(block.shortcut, nn.Identity):
            named[f"{name}.shortcut_conv"] = block.shortcut.convolution
            named[f"{name}.shortcut_norm"] = block.shortcut.normalization
    return named


def resnet50() -> Iterator[Golden]:
    """Yield the classifier of 10 classes on images of 64 x 64."""
    model = transformers.ResNetForImageClassification(tiny()).double()
    weights = layers({**encoder(model.resnet), "head": model.classifier[1]})

    def logits(images: torch.Tensor) -> torch.Tensor:
        return model(pixel_values=channels_first(images)).logits

    source = SOURCE + "ResNetForImageClassification"
    inputs = {"images": (8, 64, 64, 3)}
    model.eval()
    yield inference("resnet50", Reference(source, weights, lambda images: {"logits": logits(images)}), inputs)
    model.train()
    learning = Reference(source, weights, lambda images, labels: {"loss": cross_entropy(logits(images), labels)})
    labels = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    yield training("resnet50", learning, {**inputs, "labels": labels}, Descent(SGD, weight_decay=1e-4))


def nt_xent(z: torch.Tensor) -> torch.Tensor:
    """Return the mean of equation 1 over all positive pairs (i, j) and (j, i); image k has the views k and B + k."""
    count = len(z) // 2
    unit = z / z.square().sum(1, keepdim=True).sqrt()
    similar = (unit @ unit.T / TEMPERATURE).exp()
    pairs = [(k, k + count) for k in range(count)] + [(k + count, k) for k in range(count)]
    others = ~torch.eye(2 * count, dtype=torch.bool)
    return torch.stack([-(similar[i, j] / similar[i][others[i]].sum()).log() for i, j in pairs]).mean()


def simclr() -> Iterator[Golden]:
    """Yield the training on two views of four images, with a projection to 8."""
    resnet = transformers.ResNetModel(tiny()).double().train()
    project1, project2 = nn.Linear(256, 256).double(), nn.Linear(256, 8).double()
    weights: dict[str, Weight] = layers({**encoder(resnet), "project1": project1, "project2": project2})

    def loss(views: torch.Tensor) -> dict[str, torch.Tensor]:
        features = resnet(pixel_values=channels_first(views)).pooler_output.flatten(1)
        return {"loss": nt_xent(project2(project1(features).clamp(min=0)))}

    reference = Reference(SOURCE + "ResNetModel, and equation 1 of Chen et al. 2020", weights, loss)
    yield training("simclr", reference, {"views": (8, 64, 64, 3)}, Descent(SGD, weight_decay=1e-6))


GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {"resnet50": resnet50, "simclr": simclr}
