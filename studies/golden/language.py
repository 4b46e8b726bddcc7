"""Golden values of bert and gpt2, from transformers, at size `tiny`: two blocks of two heads, width 16."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
import transformers
from golden_values import Golden

from studies.golden.tokens import checked, prompt, text
from studies.golden.torch_reference import (
    Descent,
    Reference,
    Weight,
    cross_entropy,
    inference,
    layers,
    training,
)

VOCABULARY, LENGTH, BATCH = 40, 8, 2
STEPS = 3
"""Of generation, which has places for four: one is still empty."""
FROM = f"transformers {transformers.__version__}"


def bert_weights(model: transformers.BertForPreTraining) -> dict[str, Weight]:
    """Return the weights by neutral name; queries, keys and values are one layer."""
    embeddings, heads = model.bert.embeddings, model.cls
    named = {
        "encoder.norm": embeddings.LayerNorm,
        "encoder.pooler": model.bert.pooler.dense,
        "transform": heads.predictions.transform.dense,
        "transform_norm": heads.predictions.transform.LayerNorm,
        "follows": heads.seq_relationship,
    }
    for index, block in enumerate(model.bert.encoder.layer):
        attention = block.attention.self
        named |= {
            f"encoder.blocks.{index}.qkv": (attention.query, attention.key, attention.value),
            f"encoder.blocks.{index}.out": block.attention.output.dense,
            f"encoder.blocks.{index}.norm1": block.attention.output.LayerNorm,
            f"encoder.blocks.{index}.up": block.intermediate.dense,
            f"encoder.blocks.{index}.down": block.output.dense,
            f"encoder.blocks.{index}.norm2": block.output.LayerNorm,
        }
    return {
        **layers(named),
        "encoder.words.embeddings": Weight((embeddings.word_embeddings.weight,)),
        "encoder.positions.embeddings": Weight((embeddings.position_embeddings.weight,)),
        "encoder.segments.embeddings": Weight((embeddings.token_type_embeddings.weight,)),
        "bias": Weight((heads.predictions.decoder.bias,)),
    }


def bert() -> Iterator[Golden]:
    """Yield inference and training: masked words and next sentence."""
    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
        hidden_act="gelu",
        layer_norm_eps=1e-12,
        pad_token_id=None,  # or its embedding would have no gradient
        attn_implementation="sdpa",  # in float64 throughout
    )
    model = transformers.BertForPreTraining(config).double().eval()  # without dropout
    source, weights = f"{FROM}, BertForPreTraining", bert_weights(model)

    def infer(tokens: torch.Tensor, segments: torch.Tensor, places: torch.Tensor) -> dict[str, torch.Tensor]:
        outputs = model(tokens, token_type_ids=segments)
        masked = outputs.prediction_logits.take_along_dim(places[:, :, None], dim=1)  # (B, M, vocabulary)
        return {"words": masked, "follows": outputs.seq_relationship_logits}

    def learn(
        tokens: torch.Tensor, segments: torch.Tensor, places: torch.Tensor, words: torch.Tensor, follows: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        labels = torch.full_like(tokens, -100).scatter(1, places, words)  # -100: not masked, not in the loss
        return {"loss": model(tokens, token_type_ids=segments, labels=labels, next_sentence_label=follows).loss}

    inputs = {
        "tokens": text("bert tokens", VOCABULARY, (BATCH, LENGTH)),
        "segments": np.array([[0] * 3 + [1] * 5, [0] * 6 + [1] * 2]),
        "places": np.array([[1, 6], [2, 5]]),
    }
    answers = {"words": text("bert words", VOCABULARY, (BATCH, 2)), "follows": np.array([0, 1])}
    yield inference("bert", Reference(source, weights, infer), inputs)
    adam = partial(torch.optim.AdamW, lr=1e-4, betas=(0.9, 0.999), eps=1e-6)
    descent = Descent(adam, weight_decay=0.01, clip_norm=1.0)
    yield training("bert", Reference(source, weights, learn), inputs | answers, descent)


def gpt2_weights(model: transformers.GPT2LMHeadModel) -> dict[str, Weight]:
    """Return the weights by neutral name; the axes of its own kind of dense layer are neutral."""
    body = model.transformer
    norms = {"norm": body.ln_f}
    weights = {"tokens.embeddings": Weight((body.wte.weight,)), "positions.embeddings": Weight((body.wpe.weight,))}
    for index, block in enumerate(body.h):
        norms |= {f"blocks.{index}.norm1": block.ln_1, f"blocks.{index}.norm2": block.ln_2}
        attention, mlp = block.attn, block.mlp
        dense = {"qkv": attention.c_attn, "out": attention.c_proj, "up": mlp.c_fc, "down": mlp.c_proj}
        for name, layer in dense.items():
            weights[f"blocks.{index}.{name}.kernel"] = Weight((layer.weight,))
            weights[f"blocks.{index}.{name}.bias"] = Weight((layer.bias,))
    return weights | layers(norms)


def gpt2() -> Iterator[Golden]:
    """Yield prefill, training and generation."""
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=16,
        n_embd=16,
        n_layer=2,
        n_head=2,
        activation_function="gelu_new",
        layer_norm_epsilon=1e-5,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="sdpa",
    )
    model = transformers.GPT2LMHeadModel(config).double().eval()  # without dropout
    source, weights = f"{FROM}, GPT2LMHeadModel", gpt2_weights(model)

    def prefill(tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = model(tokens).logits[:, -1]
        return {"logits": logits, "next": logits.argmax(-1)}

    def learn(tokens: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": cross_entropy(model(tokens).logits.flatten(0, 1), labels.flatten())}  # its own is in float32

    def generate() -> dict[str, torch.Tensor]:
        read = prompt(VOCABULARY, (BATCH, LENGTH))
        mask = torch.ones_like(read)
        # One token more: generation begins with the token that follows the prompt.
        whole = model.generate(read, attention_mask=mask, max_new_tokens=1 + STEPS, do_sample=False)
        return {
            "logits": model(whole[:, :-1]).logits[:, -1],  # those of `generate` are rounded to float32
            "next": checked(whole[:, LENGTH:])[:, -1],
        }

    tokens = text("gpt2 tokens", VOCABULARY, (BATCH, LENGTH + 1))
    inputs = {"tokens": tokens[:, :-1]}
    yield replace(inference("gpt2", Reference(source, weights, prefill), inputs), phase="prefill")
    adam = partial(torch.optim.AdamW, lr=3e-4, betas=(0.9, 0.95), eps=1e-8)
    descent = Descent(adam, weight_decay=0.1, clip_norm=1.0)
    yield training("gpt2", Reference(source, weights, learn), inputs | {"labels": tokens[:, 1:]}, descent)
    # At these factors, the tokens of each text change.
    factors = {"*.kernel": 3.0, "tokens.embeddings": 0.5}
    generated = inference("gpt2", Reference(source, weights, generate), {}, factors)
    yield replace(generated, phase="generation", steps=STEPS)


GOLDEN = {"bert": bert, "gpt2": gpt2}
