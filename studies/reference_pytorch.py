"""Models of Hugging Face transformers and of Joulemark, for reference.py: (model, forward(training, **inputs))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers

from joulemark.workloads.gpt2.spec import followed
from joulemark.workloads.initial import he
from joulemark.workloads.llama import spec as llama
from joulemark.workloads.spec import Size

Side = tuple[torch.nn.Module, Callable[..., torch.Tensor]]
Answers = tuple[Callable[[torch.Tensor], object], Callable[[], None]]
"""Read a prompt, and decode the rest of the answer to it."""


def compiled(step: Any) -> Any:
    """Return the step as it is: eager, PyTorch's default mode."""
    return step


def set_threads(count: int) -> None:
    """Set the threads of operators."""
    torch.set_num_threads(count)


def square(out: torch.Tensor) -> torch.Tensor:
    """Return the mean square."""
    return out.square().mean()


def reference(name: str, size: Size) -> Side:
    """Return transformers' model with random weights. It takes images as contiguous (B, C, H, W), as its users do."""
    return _side(name, size, torch.contiguous_format, "gelu_new")


def alike(name: str, size: Size) -> Side:
    """Return transformers' model with what Joulemark's has.

    Images are channels-last, ReLU overwrites its input, and GELU's tanh form is one operator.
    """
    model, forward = _side(name, size, torch.channels_last, "gelu_pytorch_tanh")
    for module in model.modules():
        if isinstance(module, torch.nn.ReLU | torch.nn.ReLU6):
            module.inplace = True
    return model, forward


def _side(name: str, size: Size, memory_format: torch.memory_format, gelu: str) -> Side:
    if name in ("resnet50", "mobilenetv2", "vit"):
        model = _classifier(name, size).to(memory_format=memory_format)
        converted: dict[int, torch.Tensor] = {}

        def classify(_training: bool, images: torch.Tensor) -> torch.Tensor:
            # Only once: a data loader would give this memory format.
            if id(images) not in converted:
                converted[id(images)] = images.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)
            return model(pixel_values=converted[id(images)]).logits

        return model, classify
    if name == "bert":
        bert = transformers.BertModel(_bert_config(size))
        return bert, lambda _training, tokens, segments: bert(tokens, token_type_ids=segments).pooler_output
    if name == "llama":
        decoder = transformers.LlamaForCausalLM(_llama_config(size))
        return decoder, lambda _training, tokens: decoder(tokens, use_cache=False).logits
    gpt2 = transformers.GPT2LMHeadModel(_gpt2_config(size, gelu))
    return gpt2, lambda _training, tokens: gpt2(tokens, use_cache=False).logits


def _classifier(name: str, size: Size) -> torch.nn.Module:
    if name == "resnet50":
        return transformers.ResNetForImageClassification(transformers.ResNetConfig(num_labels=size.classes))
    if name == "mobilenetv2":
        config = transformers.MobileNetV2Config(
            image_size=size.edge, num_labels=size.classes, tf_padding=False, classifier_dropout_prob=0.0
        )
        return transformers.MobileNetV2ForImageClassification(config)
    config = transformers.ViTConfig(
        image_size=size.edge,
        patch_size=size.patch,
        hidden_size=size.width,
        num_hidden_layers=size.depth,
        num_attention_heads=size.heads,
        intermediate_size=size.mlp,
        num_labels=size.classes,
    )
    return transformers.ViTForImageClassification(config)


def _bert_config(size: Size) -> transformers.BertConfig:
    return transformers.BertConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        num_hidden_layers=size.depth,
        num_attention_heads=size.heads,
        intermediate_size=size.inner,
        max_position_embeddings=size.context,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def _gpt2_config(size: Size, gelu: str) -> transformers.GPT2Config:
    return transformers.GPT2Config(
        vocab_size=size.vocabulary,
        n_positions=size.context,
        n_embd=size.width,
        n_layer=size.depth,
        n_head=size.heads,
        activation_function=gelu,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )


def _llama_config(size: Size) -> transformers.LlamaConfig:
    return transformers.LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.inner,
        num_hidden_layers=size.depth,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        max_position_embeddings=size.context,
        rms_norm_eps=llama.EPSILON,
        rope_parameters={"rope_type": "default", "rope_theta": llama.BASE},
        tie_word_embeddings=size.tied,
    )


def joulemark(name: str, size: Size, kit: Any) -> Side:
    """Return Joulemark's model of the same size."""
    from joulemark.workloads.bert.pytorch import Encoder
    from joulemark.workloads.gpt2.pytorch import Gpt2
    from joulemark.workloads.llama.pytorch import Llama
    from joulemark.workloads.mobilenetv2.pytorch import MobileNet
    from joulemark.workloads.resnet50.pytorch import ResNet
    from joulemark.workloads.vit.pytorch import Vit

    models = {
        "resnet50": ResNet,
        "mobilenetv2": MobileNet,
        "vit": Vit,
        "bert": Encoder,
        "gpt2": Gpt2,
        "llama": Llama,
    }
    model = kit.prepare(models[name](kit, size), he if name == "mobilenetv2" else lambda _name, _shape: 0.02)
    if name == "bert":
        return model, lambda _training, tokens, segments: model(tokens, segments)[1]
    return model, lambda _training, **tensors: model(**tensors)


class Greedy:
    """Greedy decoding by transformers' Llama, with its cache that grows, as in its `generate`."""

    def __init__(self, size: Size) -> None:
        self.model = transformers.LlamaForCausalLM(_llama_config(size)).eval()
        self.count = followed(size)

    @torch.no_grad()
    def prefill(self, tokens: torch.Tensor) -> None:
        """Read tokens (B, T)."""
        answer = self.model(tokens, use_cache=True, logits_to_keep=1)
        self.cache, self.first = answer.past_key_values, answer.logits.argmax(-1)

    @torch.no_grad()
    def decode(self) -> None:
        """Decode all tokens after the first, and take them out of the cache."""
        token = self.first
        for _ in range(self.count):
            token = self.model(token, past_key_values=self.cache, use_cache=True).logits.argmax(-1)
        self.cache.crop(-self.count)


def answers(size: Size, kit: Any) -> tuple[Answers, Answers]:
    """Return answers of transformers' Llama and of Joulemark's."""
    from joulemark.workloads.llama.pytorch import build

    greedy, program = Greedy(size), build(size, "response", kit)

    def decode() -> None:
        program.rewind(0)
        for _ in range(followed(size)):
            program.step()

    return (greedy.prefill, greedy.decode), (lambda tokens: program.prefill(tokens=tokens), decode)
