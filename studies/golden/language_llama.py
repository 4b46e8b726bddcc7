"""Golden values of llama and moe, from transformers, at size `tiny`: two blocks of four heads, width 16.

Its norms, its rotation and its router round to float32 in every precision. They are written out in float64 here, and
the model that has them is held against the one as it comes, in float32. The layers of LoRA are added to its weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import transformers
from golden_values import Golden
from torch import nn
from torch.nn.utils import parametrize

from studies.golden.tokens import checked, prompt, text
from studies.golden.torch_reference import Descent, Reference, Weight, cross_entropy, inference, training

VOCABULARY, WIDTH, HEADS, INNER, EXPERTS, CHOSEN, RANK, LENGTH, BATCH = 40, 16, 4, 24, 8, 2, 2, 8, 2
STEPS = 3
"""Of generation, which has places for four: one is still empty."""
BASE, EPSILON, SCALE = 500_000.0, 1e-5, 2.0
FROM = f"transformers {transformers.__version__}"
SHAPE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "num_key_value_heads": 2,
    "max_position_embeddings": 16,
    "rms_norm_eps": EPSILON,
    "rope_parameters": {"rope_type": "default", "rope_theta": BASE},
    "tie_word_embeddings": True,
    "bos_token_id": None,
    "eos_token_id": None,
    "attn_implementation": "sdpa",
}
PROJECTIONS = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "o_proj"}
GATED = {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"}
ADAM = partial(torch.optim.AdamW, lr=3e-4, betas=(0.9, 0.95), eps=1e-8)


class Norm(nn.Module):
    """x / sqrt(mean of x^2 + epsilon), and a scale: Zhang and Sennrich 2019, equation 4."""

    def __init__(self, scale: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(scale.detach().clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the norm over the last axis."""
        return self.weight * x / (x.square().mean(-1, keepdim=True) + EPSILON).sqrt()


class Rotation(nn.Module):
    """The cosine and sine of each place's angles: Su et al. 2021, section 3.2.2."""

    def forward(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both, (B, T, D)."""
        pairs = torch.arange(WIDTH // HEADS // 2, dtype=x.dtype)
        angles = position_ids[..., None] / BASE ** (2 * pairs / (WIDTH // HEADS))
        both = torch.cat([angles, angles], -1)
        return both.cos(), both.sin()


class Experts(nn.Module):
    """Equation 1 and section 2.1 of Jiang et al. 2024, one token and one expert after the other."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        gate_up, down = block.experts.gate_up_proj, block.experts.down_proj  # (E, 2 I, C), (E, C, I)
        kernels = {"router": block.gate.weight.T, "gate": gate_up[:, :INNER].mT, "up": gate_up[:, INNER:].mT}
        for name, kernel in {**kernels, "down": down.mT}.items():
            setattr(self, name, nn.Parameter(kernel.detach().clone()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) -> (B, T, C)."""
        return torch.stack([self.mixed(row) for row in x.flatten(0, 1)]).view(x.shape)

    def mixed(self, row: torch.Tensor) -> torch.Tensor:
        """Return what the experts of a token, (C,), add to it."""
        scores, chosen = (row @ self.router).sort(descending=True)
        weights = scores[:CHOSEN].exp() / scores[:CHOSEN].exp().sum()
        total = torch.zeros_like(row)
        for weight, expert in zip(weights, chosen[:CHOSEN].tolist(), strict=True):
            gate = row @ self.gate[expert]
            total = total + weight * ((gate / (1 + (-gate).exp()) * (row @ self.up[expert])) @ self.down[expert])
        return total


class LowRank(nn.Module):
    """A frozen weight and the product of two thin ones: Hu et al. 2022, equation 3."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        width, width_in = weight.shape
        self.a = nn.Parameter(torch.zeros(width_in, RANK, dtype=weight.dtype))
        self.b = nn.Parameter(torch.zeros(RANK, width, dtype=weight.dtype))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return W + alpha / r B A, (width, width_in)."""
        return weight + SCALE * (self.a @ self.b).T


def exact(model: Any) -> Any:
    """Return the model in float64 throughout. ValueError where float32's is another one."""
    twin = copy.deepcopy(model).eval()
    twin.model.rotary_emb = Rotation()
    twin.model.norm = Norm(twin.model.norm.weight)
    for block in twin.model.layers:
        block.input_layernorm = Norm(block.input_layernorm.weight)
        block.post_attention_layernorm = Norm(block.post_attention_layernorm.weight)
        if hasattr(block.mlp, "experts"):
            block.mlp = Experts(block.mlp)
    tokens = torch.from_numpy(text("llama check", VOCABULARY, (BATCH, LENGTH)))
    with torch.no_grad():
        theirs, ours = model.eval()(tokens).logits, twin(tokens).logits
    gap = float((ours - theirs).norm() / theirs.norm())
    if not gap < 1e-5:  # of float32's rounding, 6e-8, in two blocks
        raise ValueError(f"{type(model).__name__} is not what is written out here: logits differ by {gap:.1e}")
    return twin.double()


def named(model: Any) -> dict[str, Weight]:
    """Return the weights by neutral name."""
    body = model.model
    weights = {"tokens.embeddings": Weight((body.embed_tokens.weight,)), "norm.gamma": Weight((body.norm.weight,))}
    for index, block in enumerate(body.layers):
        at = f"blocks.{index}"
        weights[f"{at}.norm1.gamma"] = Weight((block.input_layernorm.weight,))
        weights[f"{at}.norm2.gamma"] = Weight((block.post_attention_layernorm.weight,))
        for own, theirs in PROJECTIONS.items():
            weights |= kernels(f"{at}.attention.{own}", getattr(block.self_attn, theirs))
        if isinstance(block.mlp, Experts):
            weights |= {
                f"{at}.experts.{name}.kernel": Weight((kernel,)) for name, kernel in block.mlp.named_parameters()
            }
        else:
            for own, theirs in GATED.items():
                weights |= kernels(f"{at}.mlp.{own}", getattr(block.mlp, theirs))
    return weights


def kernels(name: str, layer: nn.Linear) -> dict[str, Weight]:
    """Return the kernel of a dense layer, or LoRA's three."""
    if not parametrize.is_parametrized(layer):
        return {f"{name}.kernel": Weight((layer.weight,), (1, 0))}
    parts: Any = layer.parametrizations.weight
    return {
        f"{name}.frozen.kernel": Weight((parts.original,), (1, 0)),
        f"{name}.a.kernel": Weight((parts[0].a,)),
        f"{name}.b.kernel": Weight((parts[0].b,)),
    }


def texts(name: str) -> dict[str, Any]:
    """Return tokens and labels."""
    tokens = text(f"{name} tokens", VOCABULARY, (BATCH, LENGTH + 1))
    return {"tokens": tokens[:, :-1], "labels": tokens[:, 1:]}


def phases(name: str, source: str, model: Any, more: Mapping[str, torch.Tensor]) -> Iterator[Golden]:
    """Yield prefill, training and generation; `more` are further outputs of each."""
    weights = named(model)

    def prefill(tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = model(tokens).logits[:, -1]
        return {"logits": logits, "next": logits.argmax(-1), **more}

    def generate() -> dict[str, torch.Tensor]:
        read = prompt(VOCABULARY, (BATCH, LENGTH))
        # One token more: generation begins with the token that follows the prompt.
        whole = model.generate(
            read, attention_mask=torch.ones_like(read), max_new_tokens=1 + STEPS, do_sample=False, use_cache=False
        )
        logits = model(whole[:, :-1]).logits[:, -1]  # those of `generate` are rounded to float32
        return {"logits": logits, "next": checked(whole[:, LENGTH:])[:, -1], **more}

    inputs = texts(name)
    yield replace(inference(name, Reference(source, weights, prefill), {"tokens": inputs["tokens"]}), phase="prefill")
    descent = Descent(ADAM, weight_decay=0.1, clip_norm=1.0)
    yield training(name, Reference(source, weights, learning(model, more)), inputs, descent)
    # At these factors, the tokens of each text change.
    factors = {"*.kernel": 2.0, "tokens.embeddings": 0.5}
    generated = inference(name, Reference(source, weights, generate), {}, factors)
    yield replace(generated, phase="generation", steps=STEPS)


def learning(model: Any, more: Mapping[str, torch.Tensor]) -> Any:
    """Return the function of tokens and labels that returns the loss; its own is in float32."""

    def learn(tokens: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": cross_entropy(model(tokens).logits.flatten(0, 1), labels.flatten()), **more}

    return learn


def llama() -> Iterator[Golden]:
    """Yield llama's phases."""
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SHAPE))
    yield from phases("llama", f"{FROM}, LlamaForCausalLM; norms and rotation in float64", exact(model), {})


def moe() -> Iterator[Golden]:
    """Yield the phases of the mixture; no token is dropped."""
    config = transformers.MixtralConfig(**SHAPE, num_local_experts=EXPERTS, num_experts_per_tok=CHOSEN)
    model = transformers.MixtralForCausalLM(config)
    source = f"{FROM}, MixtralForCausalLM; norms, rotation and experts in float64"
    yield from phases("moe", source, exact(model), {"dropped": torch.zeros((), dtype=torch.float64)})


def lora() -> Iterator[Golden]:
    """Yield training by LoRA."""
    model = exact(transformers.LlamaForCausalLM(transformers.LlamaConfig(**SHAPE)))
    model.requires_grad_(False)
    for layer in [module for module in model.model.modules() if isinstance(module, nn.Linear)]:
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight))
    source = f"{FROM}, LlamaForCausalLM; norms and rotation in float64, W + 2 B A (Hu et al. 2022, equation 3)"
    descent = Descent(partial(torch.optim.AdamW, lr=2e-4, betas=(0.9, 0.999), eps=1e-8), weight_decay=0.01)
    yield training("llama.lora", Reference(source, named(model), learning(model, {})), texts("llama.lora"), descent)


GOLDEN = {"llama": llama, "llama.lora": lora, "moe": moe}
