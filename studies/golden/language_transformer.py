"""Golden values of transformer, from PyTorch's own layers and the arithmetic of Vaswani et al. 2017 around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from golden_values import Golden
from torch import nn

from studies.golden.arithmetic import VERSION, Shapes, Tensors, dense_shapes, norm_shapes, reference
from studies.golden.tokens import greedy, prompt, text
from studies.golden.torch_reference import Descent, inference, training

SOURCE, TARGET, WIDTH, HEADS, INNER, DEPTH, VOCABULARY, BATCH = 6, 5, 16, 2, 32, 2, 24, 3
FROM = f"{VERSION}, nn.TransformerEncoder and nn.TransformerDecoder; Vaswani et al. 2017, sections 3.4, 3.5 and 5.4"
PARTS = ("query", "key", "value")
ATTENTIONS = {"encoder": {"attention": "self_attn"}, "decoder": {"attention": "self_attn", "cross": "multihead_attn"}}
"""Attention layers of a layer of each stack, with PyTorch's names."""
PERCEPTRON = {"perceptron.up": "linear1", "perceptron.down": "linear2"}


def layer_shapes(name: str, attentions: list[str]) -> Shapes:
    """Return the shapes of one layer's weights."""
    shapes = dict(dense_shapes(f"{name}.perceptron.up", WIDTH, INNER))
    shapes |= dense_shapes(f"{name}.perceptron.down", INNER, WIDTH)
    for each in attentions:
        for part in (*PARTS, "out"):
            shapes |= dense_shapes(f"{name}.{each}.{part}", WIDTH, WIDTH)
    for number in range(1, len(attentions) + 2):
        shapes |= norm_shapes(f"{name}.norm{number}", WIDTH)
    return shapes


def shapes() -> Shapes:
    """Return the shapes of all weights."""
    all_shapes: dict[str, tuple[int, ...]] = {"embedding.embeddings": (VOCABULARY, WIDTH)}
    for stack, attentions in ATTENTIONS.items():
        for index in range(DEPTH):
            all_shapes |= layer_shapes(f"{stack}.{index}", list(attentions))
    return all_shapes


def modules() -> dict[str, nn.Module]:
    """Return both stacks, post-norm, without dropout; weights are given with each call."""
    options = {
        "d_model": WIDTH,
        "nhead": HEADS,
        "dim_feedforward": INNER,
        "dropout": 0.0,
        "activation": "relu",
        "layer_norm_eps": 1e-5,
        "batch_first": True,
        "norm_first": False,
        "dtype": torch.float64,
    }
    return {
        "encoder": nn.TransformerEncoder(nn.TransformerEncoderLayer(**options), DEPTH, enable_nested_tensor=False),
        "decoder": nn.TransformerDecoder(nn.TransformerDecoderLayer(**options), DEPTH),
    }


def linear(weights: Tensors, name: str, module: str) -> Tensors:
    """Return the weights of an `nn.Linear` by PyTorch's names."""
    return {f"{module}.weight": weights[f"{name}.kernel"].T, f"{module}.bias": weights[f"{name}.bias"]}


def of_stack(weights: Tensors, stack: str) -> dict[str, torch.Tensor]:
    """Return the weights of the encoder or the decoder by PyTorch's names."""
    named: dict[str, torch.Tensor] = {}
    for index in range(DEPTH):
        name, module = f"{stack}.{index}", f"layers.{index}"
        for own, theirs in ATTENTIONS[stack].items():
            at, to = f"{name}.{own}", f"{module}.{theirs}"
            named[f"{to}.in_proj_weight"] = torch.cat([weights[f"{at}.{part}.kernel"].T for part in PARTS])
            named[f"{to}.in_proj_bias"] = torch.cat([weights[f"{at}.{part}.bias"] for part in PARTS])
            named |= linear(weights, f"{at}.out", f"{to}.out_proj")
        for own, theirs in PERCEPTRON.items():
            named |= linear(weights, f"{name}.{own}", f"{module}.{theirs}")
        for number in range(1, len(ATTENTIONS[stack]) + 2):
            named[f"{module}.norm{number}.weight"] = weights[f"{name}.norm{number}.gamma"]
            named[f"{module}.norm{number}.bias"] = weights[f"{name}.norm{number}.beta"]
    return named


def positions(length: int) -> torch.Tensor:
    """Return the encoding of section 3.5, (length, WIDTH)."""
    place, column = (torch.arange(n, dtype=torch.float64) for n in (length, WIDTH))
    angle = place[:, None] / 10000 ** (2 * (column // 2) / WIDTH)
    return torch.where(column % 2 == 0, angle.sin(), angle.cos())


def logits(stacks: dict[str, nn.Module], weights: Tensors, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the logits (B, T, vocabulary) of what follows each token of the target (B, T)."""
    embeddings = weights["embedding.embeddings"]
    source, target = (embeddings[each] * WIDTH**0.5 + positions(each.shape[1]) for each in (source, target))
    mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1], dtype=torch.float64)
    call = partial(torch.func.functional_call, strict=True)  # all weights, each once
    memory = call(stacks["encoder"], of_stack(weights, "encoder"), (source,))
    states = call(stacks["decoder"], of_stack(weights, "decoder"), (target, memory), {"tgt_mask": mask})
    return states @ embeddings.T


def smoothed_cross_entropy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Return the loss of section 5.4: labels smoothed as in Szegedy et al. 2016, section 7."""
    log_odds = logits - logits.logsumexp(-1, keepdim=True)
    wanted = torch.full_like(logits, smoothing / VOCABULARY)
    wanted.scatter_add_(-1, labels[..., None], torch.full_like(logits[..., :1], 1 - smoothing))
    return -(wanted * log_odds).sum(-1).mean()


def transformer() -> Iterator[Golden]:
    """Yield forward, training and generation."""
    stacks = modules()

    def forward(weights: Tensors, source: torch.Tensor, target: torch.Tensor) -> Tensors:
        return {"logits": logits(stacks, weights, source, target)}

    def learn(weights: Tensors, source: torch.Tensor, target: torch.Tensor, labels: torch.Tensor) -> Tensors:
        return {"loss": smoothed_cross_entropy(logits(stacks, weights, source, target), labels, 0.1)}

    def generate(weights: Tensors) -> Tensors:
        sources = prompt(VOCABULARY, (BATCH, SOURCE))
        begin = torch.zeros((BATCH, 1), dtype=torch.int64)
        return greedy(lambda tokens: logits(stacks, weights, sources, tokens), begin, TARGET)

    target = text("transformer target", VOCABULARY, (BATCH, TARGET + 1))
    inputs = {"source": text("transformer source", VOCABULARY, (BATCH, SOURCE)), "target": target[:, :-1]}
    yield replace(inference("transformer", reference(FROM, shapes(), forward), inputs), phase="forward")
    descent = Descent(partial(torch.optim.Adam, lr=1e-4, betas=(0.9, 0.98), eps=1e-9))
    labelled = inputs | {"labels": target[:, 1:]}
    yield training("transformer", reference(FROM, shapes(), learn), labelled, descent)
    # At these, the tokens of each text change.
    factors = {"embedding.embeddings": 2.0, "decoder.*.perceptron.*.kernel": 2.0, "decoder.*.cross.out.kernel": 0.2}
    generated = inference("transformer", reference(FROM, shapes(), generate), {}, factors)
    yield replace(generated, phase="generation", steps=TARGET)


GOLDEN = {"transformer": transformer}
