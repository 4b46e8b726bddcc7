"""Golden values of resnet50, simclr and vit, from transformers; simclr's loss from the paper's equation 1."""

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


def classifier(
    workload: str,
    model: transformers.ResNetForImageClassification | transformers.ViTForImageClassification,
    weights: dict[str, Weight],
    edge: int,
    labels: list[int],
    descent: Descent,
) -> Iterator[Golden]:
    """Yield inference and training of a classifier of images."""

    def logits(images: torch.Tensor) -> torch.Tensor:
        return model(pixel_values=channels_first(images)).logits

    source, inputs = SOURCE + type(model).__name__, {"images": (len(labels), edge, edge, 3)}
    model.eval()
    yield inference(workload, Reference(source, weights, lambda images: {"logits": logits(images)}), inputs)
    model.train()
    learning = Reference(source, weights, lambda images, labels: {"loss": cross_entropy(logits(images), labels)})
    yield training(workload, learning, {**inputs, "labels": np.array(labels)}, descent)


def resnet50() -> Iterator[Golden]:
    """Yield the classifier of 10 classes on images of 64 x 64."""
    model = transformers.ResNetForImageClassification(tiny()).double()
    weights = layers({**encoder(model.resnet), "head": model.classifier[1]})
    yield from classifier("resnet50", model, weights, 64, [3, 1, 4, 1, 5, 9, 2, 6], Descent(SGD, weight_decay=1e-4))


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
    yield training("simclr", reference, {"views": (8, 64, 64, 3)}, Descent(partial(SGD, lr=0.001), weight_decay=1e-6))


def vit_weights(model: transformers.ViTForImageClassification) -> dict[str, Weight]:
    """Return the weights by neutral name; queries, keys and values are one layer."""
    vit = model.vit
    named = {"patches": vit.embeddings.patch_embeddings.projection, "norm": vit.layernorm, "head": model.classifier}
    for index, block in enumerate(vit.layers):
        attention = block.attention
        named |= {
            f"blocks.{index}.norm1": block.layernorm_before,
            f"blocks.{index}.qkv": (attention.q_proj, attention.k_proj, attention.v_proj),
            f"blocks.{index}.out": attention.o_proj,
            f"blocks.{index}.norm2": block.layernorm_after,
            f"blocks.{index}.up": block.mlp.fc1,
            f"blocks.{index}.down": block.mlp.fc2,
        }
    return {
        **layers(named),
        "token": Weight((vit.embeddings.cls_token,)),
        "positions": Weight((vit.embeddings.position_embeddings,)),
    }


def vit() -> Iterator[Golden]:
    """Yield two blocks of two heads on 16 patches, and 10 classes."""
    config = transformers.ViTConfig(
        image_size=32,
        patch_size=8,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_act="gelu",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=1e-6,
        num_labels=10,
        attn_implementation="sdpa",  # the eager one has its softmax in float32
    )
    model = transformers.ViTForImageClassification(config).double()
    descent = Descent(partial(torch.optim.SGD, lr=0.003, momentum=0.9), clip_norm=1.0)
    yield from classifier("vit", model, vit_weights(model), 32, [3, 1, 4, 1], descent)


GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {"resnet50": resnet50, "simclr": simclr, "vit": vit}
