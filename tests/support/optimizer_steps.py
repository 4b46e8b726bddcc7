"""What optimizers do in their first steps: in closed form, and in a framework."""

from __future__ import annotations

from typing import Any

import numpy as np
from framework_process import make_kit

from joulemark.workloads.spec import Adam, Optimizer, Sgd

STEPS = 5
DEFINITIONS: list[Optimizer] = [
    Sgd(learning_rate=0.1),
    Sgd(learning_rate=0.05, momentum=0.9),
    Sgd(learning_rate=0.05, momentum=0.9, weight_decay=0.1, clip_norm=2.0),
    Adam(learning_rate=0.01),
    # an epsilon as large as the gradients: that it stands in the right place shows
    Adam(learning_rate=0.01, beta_1=0.8, beta_2=0.95, epsilon=0.1),
    Adam(learning_rate=0.01, epsilon=0.1, weight_decay=0.5, clip_norm=2.0),
]
KERNEL = (4, 3)
"""Shape of the first 12 of the 16 numbers that are trained: they decay. The last 4 are a bias, which does not."""
SPLIT = 12


def numbers() -> tuple[np.ndarray, np.ndarray]:
    """Return weights (16,) and gradients (STEPS, 16), each step's with a norm of about 4."""
    generator = np.random.default_rng(3)
    return generator.standard_normal(16), generator.standard_normal((STEPS, 16))


def closed_form(definition: Optimizer, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Return the weights after each step, by sums over all gradients so far."""
    decay = definition.weight_decay * (np.arange(start.size) < SPLIT)
    limit = np.inf if definition.clip_norm is None else definition.clip_norm
    seen: list[np.ndarray] = []
    past: list[np.ndarray] = []
    weight = start
    for step, gradient in enumerate(gradients, start=1):
        clipped = gradient * min(1.0, limit / np.sqrt((gradient**2).sum()))
        age = np.arange(step)[::-1][:, None]
        if isinstance(definition, Sgd):
            past.append(clipped + decay * weight)
            weight = weight - definition.learning_rate * (definition.momentum**age * np.stack(past)).sum(0)
        else:
            past.append(clipped)
            b1, b2 = definition.beta_1, definition.beta_2
            mean = (1 - b1) * (b1**age * np.stack(past)).sum(0) / (1 - b1**step)
            square = (1 - b2) * (b2**age * np.stack(past) ** 2).sum(0) / (1 - b2**step)
            update = mean / (np.sqrt(square) + definition.epsilon)
            weight = (1 - definition.learning_rate * decay) * weight - definition.learning_rate * update
        seen.append(weight)
    return np.stack(seen)


def walk(framework: str, precision: str, definition: Optimizer, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Return the weights after each step of the kit's training, whose loss is weights x gradient.

    Runs in the framework's process. In fp16 the loss is scaled, but all numbers are float32.
    """
    kit = make_kit(framework, precision)
    dtype = np.float64 if precision == "fp64" else np.float32
    model: Any
    if framework == "pytorch":
        import torch

        tensor, total = torch.from_numpy, torch.sum
        model = torch.nn.Module()
        model.kernel = torch.nn.Parameter(torch.zeros(KERNEL, dtype=kit.dtype))
        model.bias = torch.nn.Parameter(torch.zeros(start.size - SPLIT, dtype=kit.dtype))
    elif framework == "jax":
        import jax.numpy as jnp
        from flax import nnx

        tensor, total = jnp.asarray, jnp.sum
        model = nnx.Module()
        model.kernel = nnx.Param(jnp.zeros(KERNEL, kit.dtype))
        model.bias = nnx.Param(jnp.zeros(start.size - SPLIT, kit.dtype))
    else:
        import keras
        import tensorflow as tf

        tensor, total = tf.constant, tf.reduce_sum
        model = keras.Layer(dtype=np.dtype(dtype).name)
        model.kernel = model.add_weight(name="kernel", shape=KERNEL)
        model.bias = model.add_weight(name="bias", shape=(start.size - SPLIT,))

    def parts(flat: np.ndarray) -> dict[str, np.ndarray]:
        return {"kernel": flat[:SPLIT].reshape(KERNEL).astype(dtype), "bias": flat[SPLIT:].astype(dtype)}

    def forward(kernel: Any, bias: Any) -> dict[str, Any]:
        return {"loss": total(model.kernel * kernel) + total(model.bias * bias)}

    program = kit.training(model, forward, definition)
    program.load_weights(parts(start))
    seen = []
    for gradient in gradients:
        program.step(**{name: tensor(array) for name, array in parts(gradient).items()})
        weights = program.weights()
        seen.append(np.concatenate([weights["kernel"].ravel(), weights["bias"]]).astype(np.float64))
    return np.stack(seen)
