"""Models of keras.applications, Keras-Hub and Joulemark, for reference.py: (model, forward(training, **inputs))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import keras_hub
import tensorflow as tf

from joulemark.workloads.gpt2.spec import followed, places
from joulemark.workloads.initial import he
from joulemark.workloads.llama import spec as llama
from joulemark.workloads.spec import Size

Side = tuple[keras.Layer, Callable[..., tf.Tensor]]
Answers = tuple[Callable[[tf.Tensor], object], Callable[[], None]]
"""Read a prompt, and decode the rest of the answer to it."""

compiled = tf.function
"""Graph, TensorFlow's default mode."""


def set_threads(count: int) -> None:
    """Set the threads of operators, and the number of operators that run at the same time."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def square(out: tf.Tensor) -> tf.Tensor:
    """Return the mean square."""
    return tf.reduce_mean(tf.square(out))


def reference(name: str, size: Size) -> Side:
    """Return the model of keras.applications or Keras-Hub, with random weights."""
    if name in ("resnet50", "mobilenetv2"):
        build = {"resnet50": keras.applications.ResNet50, "mobilenetv2": keras.applications.MobileNetV2}[name]
        shape = (size.edge, size.edge, 3)
        model = build(weights=None, input_shape=shape, classes=size.classes, classifier_activation=None)
        return model, lambda training, images: model(images, training=training)
    if name == "vit":
        return _vit(size)
    if name == "llama":
        return _llama(size)
    common = {
        "vocabulary_size": size.vocabulary,
        "num_layers": size.depth,
        "num_heads": size.heads,
        "hidden_dim": size.width,
        "dropout": 0.0,
        "max_sequence_length": size.context,
    }
    if name == "bert":
        bert = keras_hub.models.BertBackbone(**common, intermediate_dim=size.inner)
        return bert, lambda training, tokens, segments: bert(
            {"token_ids": tokens, "segment_ids": segments, "padding_mask": tf.ones_like(tokens)}, training=training
        )["pooled_output"]
    gpt2 = keras_hub.models.GPT2CausalLM(
        keras_hub.models.GPT2Backbone(**common, intermediate_dim=4 * size.width), preprocessor=None
    )
    return gpt2, lambda training, tokens: gpt2(
        {"token_ids": tokens, "padding_mask": tf.ones_like(tokens)}, training=training
    )


def _llama(size: Size) -> Side:
    model = _llama_model(size)
    return model, lambda training, tokens: model(
        {"token_ids": tokens, "padding_mask": tf.ones_like(tokens)}, training=training
    )


def _llama_model(size: Size) -> keras_hub.models.LlamaCausalLM:
    backbone = keras_hub.models.LlamaBackbone(
        vocabulary_size=size.vocabulary,
        num_layers=size.depth,
        num_query_heads=size.heads,
        hidden_dim=size.width,
        intermediate_dim=size.inner,
        num_key_value_heads=size.kv_heads,
        rope_max_wavelength=llama.BASE,
        layer_norm_epsilon=llama.EPSILON,
        tie_word_embeddings=size.tied,
    )
    return keras_hub.models.LlamaCausalLM(backbone, preprocessor=None)


def _vit(size: Size) -> Side:
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(size.edge, size.edge, 3),
        patch_size=size.patch,
        num_layers=size.depth,
        num_heads=size.heads,
        hidden_dim=size.width,
        mlp_dim=size.mlp,
    )
    model = keras_hub.models.ViTImageClassifier(backbone, size.classes)
    return model, lambda training, images: model(images, training=training)


def joulemark(name: str, size: Size, kit: Any) -> Side:
    """Return Joulemark's model of the same size."""
    from joulemark.workloads.bert.tensorflow import Encoder
    from joulemark.workloads.gpt2.tensorflow import Gpt2
    from joulemark.workloads.llama.tensorflow import Llama
    from joulemark.workloads.mobilenetv2.tensorflow import MobileNet
    from joulemark.workloads.resnet50.tensorflow import ResNet
    from joulemark.workloads.vit.tensorflow import Vit

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
        return model, lambda training, tokens, segments: model(tokens, segments, training=training)[1]
    return model, lambda training, **tensors: model(**tensors, training=training)


class Greedy:
    """Greedy decoding by Keras-Hub's Llama, with its cache of all places."""

    def __init__(self, size: Size) -> None:
        self.model = _llama_model(size)
        self.size, self.count = size, followed(size)
        self.read, self.follow = compiled(self._read), compiled(self._follow)

    def _read(self, tokens: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        size = self.size
        cache = tf.zeros(
            (size.batch, size.depth, 2, places(size), size.kv_heads, size.width // size.heads), self.model.compute_dtype
        )
        _, hidden, cache = self.model.call_with_cache(tokens, cache, 0)
        return tf.argmax(self.model.backbone.token_embedding(hidden[:, -1:], reverse=True), -1), cache

    def _follow(self, token: tf.Tensor, cache: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        logits, _, cache = self.model.call_with_cache(token, cache, index)
        return tf.argmax(logits, -1), cache, index + 1

    def prefill(self, tokens: tf.Tensor) -> None:
        """Read tokens (B, T)."""
        self.first, self.cache = self.read(tokens)

    def decode(self) -> None:
        """Decode all tokens after the first."""
        state = self.first, self.cache, tf.constant(self.size.length)
        for _ in range(self.count):
            state = self.follow(*state)


def answers(size: Size, kit: Any) -> tuple[Answers, Answers]:
    """Return answers of Keras-Hub's Llama and of Joulemark's."""
    from joulemark.workloads.llama.tensorflow import build

    greedy, program = Greedy(size), build(size, "response", kit)
    prefill, step = compiled(program.prefill), compiled(program.step)

    def decode() -> None:
        program.rewind(0)
        for _ in range(followed(size)):
            step()

    return (greedy.prefill, greedy.decode), (lambda tokens: prefill(tokens=tokens), decode)
