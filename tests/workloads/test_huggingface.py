"""BERT and GPT-2 compute what Hugging Face's models compute with the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from framework_process import Job, Processes, prepare
from proofs import distance, perturb

from joulemark.workloads.gpt2 import spec
from joulemark.workloads.registry import workloads

pytest.importorskip("transformers", reason="the dev extra `reference` is not installed", exc_type=ImportError)


def _assign(module: Any, weights: dict[str, np.ndarray], prefix: str, *, transpose: bool = True) -> None:
    """Neutral `prefix.*` into a Linear, LayerNorm or Embedding (or GPT-2's Conv1D, which is (in, out) like ours)."""
    import torch

    own = {name.rpartition(".")[2]: array for name, array in weights.items() if name.rpartition(".")[0] == prefix}
    assert own, prefix
    for leaf, array in own.items():
        target = module.bias if leaf in ("bias", "beta") else module.weight
        value = array.T if leaf == "kernel" and transpose else array
        assert tuple(target.shape) == value.shape, (prefix, leaf)
        with torch.no_grad():
            target.copy_(torch.from_numpy(value.copy()))


def gpt2() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(ours, theirs): logits after a prompt; (ours, theirs): the tokens that follow. Runs in PyTorch's process."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    drawn = prepare(Job("pytorch", "gpt2", "prefill"))[1].weights()
    factors = {"kernel": 3.0, "bias": 0.05, "beta": 0.05}  # or all tokens would be the same
    weights = {name: w * np.float32(factors.get(name.rpartition(".")[2], 1)) for name, w in perturb(drawn).items()}
    config = GPT2Config(
        vocab_size=40, n_positions=16, n_embd=16, n_layer=2, n_head=2, bos_token_id=None, eos_token_id=None
    )
    theirs = GPT2LMHeadModel(config).eval()
    body = theirs.transformer
    _assign(body.wte, weights, "tokens")
    _assign(body.wpe, weights, "positions")
    _assign(body.ln_f, weights, "norm")
    for index, block in enumerate(body.h):
        at = f"blocks.{index}"
        _assign(block.ln_1, weights, f"{at}.norm1")
        _assign(block.attn.c_attn, weights, f"{at}.qkv", transpose=False)
        _assign(block.attn.c_proj, weights, f"{at}.out", transpose=False)
        _assign(block.ln_2, weights, f"{at}.norm2")
        _assign(block.mlp.c_fc, weights, f"{at}.up", transpose=False)
        _assign(block.mlp.c_proj, weights, f"{at}.down", transpose=False)
    kit, prefill, _ = prepare(Job("pytorch", "gpt2", "prefill", weights=weights))
    _, generation, _ = prepare(Job("pytorch", "gpt2", "generation", weights=weights))
    prompt = kit.tensor(spec.prompt(workloads()["gpt2"].sizes["tiny"].at(2), kit.seed))
    with torch.no_grad():
        logits = theirs(prompt).logits[:, -1]
        text = theirs.generate(prompt, max_new_tokens=5, do_sample=False, attention_mask=torch.ones_like(prompt))
    first = prefill.step(tokens=prompt)
    tokens = [first["next"], *(generation.step()["next"] for _ in range(4))]
    return (*(kit.array(x) for x in (first["logits"], logits)), np.stack(tokens, axis=1), kit.array(text[:, 8:]))


def bert() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(our words, their words, ours, theirs of what follows). Runs in PyTorch's process."""
    import torch
    from transformers import BertConfig, BertForPreTraining

    drawn = prepare(Job("pytorch", "bert", "inference"))[1].weights()
    weights = perturb(drawn)
    kit, program, inputs = prepare(Job("pytorch", "bert", "inference", weights=weights))
    config = BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
    )
    theirs = BertForPreTraining(config).eval()
    _assign_bert(theirs, weights)
    with torch.no_grad():
        outputs = theirs(inputs["tokens"], token_type_ids=inputs["segments"])
        words = outputs.prediction_logits.take_along_dim(inputs["places"][:, :, None], dim=1)
    ours = program.step(**inputs)
    return (
        kit.array(ours["words"]),
        kit.array(words),
        kit.array(ours["follows"]),
        kit.array(outputs.seq_relationship_logits),
    )


def _assign_bert(theirs: Any, weights: dict[str, np.ndarray]) -> None:
    embeddings, heads = theirs.bert.embeddings, theirs.cls
    _assign(embeddings.word_embeddings, weights, "encoder.words")
    _assign(embeddings.position_embeddings, weights, "encoder.positions")
    _assign(embeddings.token_type_embeddings, weights, "encoder.segments")
    _assign(embeddings.LayerNorm, weights, "encoder.norm")
    for index, layer in enumerate(theirs.bert.encoder.layer):
        at = f"encoder.blocks.{index}"
        kernels = np.split(weights[f"{at}.qkv.kernel"], 3, axis=1)
        biases = np.split(weights[f"{at}.qkv.bias"], 3)
        attention = layer.attention.self
        for dense, kernel, bias in zip((attention.query, attention.key, attention.value), kernels, biases, strict=True):
            _assign(dense, {"part.kernel": kernel, "part.bias": bias}, "part")
        _assign(layer.attention.output.dense, weights, f"{at}.out")
        _assign(layer.attention.output.LayerNorm, weights, f"{at}.norm1")
        _assign(layer.intermediate.dense, weights, f"{at}.up")
        _assign(layer.output.dense, weights, f"{at}.down")
        _assign(layer.output.LayerNorm, weights, f"{at}.norm2")
    _assign(theirs.bert.pooler.dense, weights, "encoder.pooler")
    _assign(heads.predictions.transform.dense, weights, "transform")
    _assign(heads.predictions.transform.LayerNorm, weights, "transform_norm")
    _assign(heads.seq_relationship, weights, "follows")
    _assign(heads.predictions, {"p.bias": weights["bias"]}, "p")


def test_gpt2(processes: Processes) -> None:
    ours, theirs, our_tokens, their_tokens = processes.call("pytorch", gpt2).result()
    assert distance(ours, theirs) < 1e-4
    assert len(np.unique(their_tokens)) > 2
    assert np.array_equal(our_tokens, their_tokens)


def test_bert(processes: Processes) -> None:
    words, their_words, follows, their_follows = processes.call("pytorch", bert).result()
    assert distance(words, their_words) < 1e-4
    assert distance(follows, their_follows) < 1e-4
