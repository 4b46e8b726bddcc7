"""keras.applications' and Keras-Hub's models and ours, for reference.py: (model, forward(training, **inputs))."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import tensorflow as tf

from joulemark.workloads.initial import he
from joulemark.workloads.spec import Size

compiled = tf.function
"""Graph, TensorFlow's default mode."""


def set_threads(count: int) -> None:
    """Threads of operators, and as many operators side by side as TensorFlow likes."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def square(out: tf.Tensor) -> tf.Tensor:
    """Mean square."""
    return tf.reduce_mean(tf.square(out))


def theirs(name: str, size: Size) -> Any:
    """The model with random weights."""
    if name in ("resnet50", "mobilenetv2"):
        made = {"resnet50": keras.applications.ResNet50, "mobilenetv2": keras.applications.MobileNetV2}[name]
        shape = (size.edge, size.edge, 3)
        model = made(weights=None, input_shape=shape, classes=size.classes, classifier_activation=None)
        return model, lambda training, images: model(images, training=training)
    if name == "vit":
        return _vit(size)
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


def _vit(size: Size) -> Any:
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


def ours(name: str, size: Size, kit: Any) -> Any:
    """Our model of the same sizes."""
    from joulemark.workloads.bert.tensorflow import Encoder
    from joulemark.workloads.gpt2.tensorflow import Gpt2
    from joulemark.workloads.mobilenetv2.tensorflow import MobileNet
    from joulemark.workloads.resnet50.tensorflow import ResNet
    from joulemark.workloads.vit.tensorflow import Vit

    models = {"resnet50": ResNet, "mobilenetv2": MobileNet, "vit": Vit, "bert": Encoder, "gpt2": Gpt2}
    model = kit.prepare(models[name](kit, size), he if name == "mobilenetv2" else lambda _name, _shape: 0.02)
    if name == "bert":
        return model, lambda training, tokens, segments: model(tokens, segments, training=training)[1]
    return model, lambda training, **read: model(**read, training=training)
