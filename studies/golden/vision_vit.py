"""Golden values of vit, from transformers' ViT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
import transformers
from golden_values import Golden

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


def neutral(model: transformers.ViTForImageClassification) -> dict[str, Weight]:
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
    weights = neutral(model)

    def logits(images: torch.Tensor) -> torch.Tensor:
        return model(pixel_values=channels_first(images)).logits

    source = f"transformers {transformers.__version__} ViTForImageClassification"
    inputs = {"images": (4, 32, 32, 3)}
    model.eval()
    yield inference("vit", Reference(source, weights, lambda images: {"logits": logits(images)}), inputs)
    model.train()
    learning = Reference(source, weights, lambda images, labels: {"loss": cross_entropy(logits(images), labels)})
    descent = Descent(partial(torch.optim.SGD, lr=0.003, momentum=0.9), clip_norm=1.0)
    yield training("vit", learning, {**inputs, "labels": np.array([3, 1, 4, 1])}, descent)


GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {"vit": vit}
