"""The faults in TensorFlow."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from joulemark.workloads.spec import Program
from planted.spec import CHANNELS, WIDTH


def build(size, phase, kit):
    """Return a step with the fault `size.fault`."""
    fault, compiled = size.fault, not kit.cudnn  # the kit of mode `xla` has no cuDNN
    if fault == "lost_fusion" and compiled:
        os.environ["XLA_FLAGS"] = "--xla_disable_hlo_passes=fusion,cpu-instruction-fusion"
    generator = np.random.default_rng(1)

    def weight(*shape):
        return tf.Variable(generator.standard_normal(shape, dtype=np.float32) / 8)

    layers = [(weight(3, 3, CHANNELS, WIDTH), weight(WIDTH)), (weight(3, 3, WIDTH, WIDTH), weight(WIDTH))]
    dense = weight(WIDTH, 10)

    def layer(x, kernel, bias):
        x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias)
        if fault == "lost_fusion":
            x = tf.maximum(x, 0.0)
            return x
        return tf.nn.relu(x)

    def layer_of_channels_first(x, kernel, bias):
        """Images are (B, C, H, W) wherever TensorFlow's CPU kernels do not insist on the other layout."""
        if compiled:
            x = tf.nn.conv2d(x, kernel, 1, "SAME", data_format="NCHW")
        else:
            x = tf.transpose(tf.nn.conv2d(tf.transpose(x, (0, 2, 3, 1)), kernel, 1, "SAME"), (0, 3, 1, 2))
        return tf.nn.relu(x + bias[:, None, None])

    def step(images):
        x = images
        if fault == "dropped_channels_last":
            x = tf.transpose(x, (0, 3, 1, 2))
            for kernel, bias in layers:
                x = layer_of_channels_first(x, kernel, bias)
            x = tf.transpose(x, (0, 2, 3, 1))
        else:
            for kernel, bias in layers:
                x = layer(x, kernel, bias)
                if fault == "extra_copy":
                    x = tf.raw_ops.DeepCopy(x=x)
        logits = tf.matmul(tf.reduce_mean(x, (1, 2)), dense)
        if fault == "extra_operator":
            logits = tf.sin(logits)
        if fault == "lost_fusion" and not compiled:
            powers = tf.exp(logits)
            return {"probabilities": powers / tf.reduce_sum(powers, -1, keepdims=True)}
        return {"probabilities": tf.nn.softmax(logits)}

    return Program(step=step)
