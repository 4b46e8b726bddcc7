"""Models of keras.applications, Keras-Hub and Joulemark, for reference.py: (model, forward(training, **inputs))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import keras_hub
import tensorflow as tf

from joulemark.workloads.initial import he
from joulemark.workloads.llama import spec as llama
from joulemark.workloads.spec import Size

Side = tuple[keras.Layer, Callable[..., tf.Tensor]]

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
    model = keras_hub.models.LlamaCausalLM(backbone, preprocessor=None)
    return model, lambda training, tokens: model(
        {"token_ids": tokens, "padding_mask": tf.ones_like(tokens)}, training=training
    )


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
