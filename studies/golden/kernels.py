"""Golden values of kernels and single layers: numpy in float64, gradients by closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from golden_values import Array, Drawn, Golden, draw
from scipy.special import expit
from scipy.stats import norm as standard_normal

LEARNING_RATE = 1e-3
"""Of the plain gradient descent that moves a layer's weights."""
EPSILON = 1e-5
"""Of both normalisations."""


def matmul() -> Iterator[Golden]:
    """Return the sums of products."""
    case = Golden("matmul", "inference", "numpy.einsum", inputs={"a": (64, 64), "b": (64, 64)})
    _, inputs = draw(case)
    yield replace(case, outputs={"product": np.einsum("ij,jk->ik", inputs["a"], inputs["b"])})


def stream() -> Iterator[Golden]:
    """Return STREAM's scale, with its factor of 3."""
    case = Golden("stream", "inference", "McCalpin 1995, scale", inputs={"x": (2**16,)})
    _, inputs = draw(case)
    yield replace(case, outputs={"scaled": inputs["x"] + inputs["x"] + inputs["x"]})


def fft() -> Iterator[Golden]:
    """Return the filtered images, by matrices of the discrete Fourier transform."""
    n = 16
    case = Golden(
        "fft",
        "inference",
        "definition of the discrete Fourier transform",
        inputs={"images": Drawn((2, n, n), "complex"), "transfer": Drawn((n, n), "complex")},
    )
    _, inputs = draw(case)
    forward = np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)
    spectra = forward @ inputs["images"] @ forward
    backward = forward.conj() / n
    yield replace(case, outputs={"images": backward @ (spectra * inputs["transfer"]) @ backward})


ACTIVATIONS: dict[str, tuple[str, Callable[[Array], tuple[Array, Array]]]] = {
    "relu": ("max(x, 0)", lambda x: (np.maximum(x, 0), (x > 0) * 1.0)),
    "leaky_relu": (
        "Maas et al. 2013, equation 3",
        lambda x: (np.where(x > 0, x, 0.01 * x), np.where(x > 0, 1.0, 0.01)),
    ),
    "gelu": (
        "Hendrycks and Gimpel 2016, x times the normal distribution's function, scipy.stats.norm",
        lambda x: (x * standard_normal.cdf(x), standard_normal.cdf(x) + x * standard_normal.pdf(x)),
    ),
    "sigmoid": ("scipy.special.expit", lambda x: (expit(x), expit(x) * expit(-x))),
    "tanh": ("numpy.tanh", lambda x: (np.tanh(x), np.cosh(x) ** -2)),
}
"""Source, and value and slope at x, by function."""


def activation(function: str) -> Iterator[Golden]:
    """Return one activation function, and its slope times a given gradient."""
    source, at = ACTIVATIONS[function]
    shape = (4, 256)
    case = Golden(f"activation.{function}", "inference", source, inputs={"x": shape})
    _, inputs = draw(case)
    value, slope = at(inputs["x"])
    yield replace(case, outputs={"output": value})
    case = replace(case, phase="training", inputs={"x": shape, "upstream": shape})
    _, inputs = draw(case)
    yield replace(case, outputs={"output": value, "gradient": inputs["upstream"] * slope})


class Normalisation:
    """x -> gamma (x - mean) / sqrt(variance + epsilon) + beta, with moments over the given axes."""

    def __init__(self, x: Array, gamma: Array, beta: Array, axes: tuple[int, ...]) -> None:
        self.gamma, self.axes = gamma, axes
        self.mean, self.variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        self.scale = (self.variance + EPSILON) ** -0.5
        self.unit = (x - self.mean) * self.scale
        self.output = gamma * self.unit + beta

    def backward(self, upstream: Array) -> tuple[Array, Array, Array]:
        """Return the gradients of x, gamma and beta."""
        rows = tuple(range(upstream.ndim - 1))
        inner = upstream * self.gamma
        pulled = inner.mean(self.axes, keepdims=True) + self.unit * (inner * self.unit).mean(self.axes, keepdims=True)
        return self.scale * (inner - pulled), (upstream * self.unit).sum(rows), upstream.sum(rows)


def trained(case: Golden, output: Array, gradient: Array, gradients: dict[str, Array], **buffers: Array) -> Golden:
    """Return the case with what a step of plain gradient descent gives."""
    weights, _ = draw(case)
    return replace(
        case,
        outputs={"output": output, "gradient": gradient},
        gradients=gradients,
        after={**{n: weights[n] - LEARNING_RATE * g for n, g in gradients.items()}, **buffers},
    )


def batchnorm() -> Iterator[Golden]:
    """Return algorithms 1 and 2; the running variance takes in the unbiased one, as there."""
    shape, momentum = (4, 8, 8, 4), 0.9
    names = ("norm.gamma", "norm.beta", "norm.moving_mean", "norm.moving_variance")
    source = "Ioffe and Szegedy 2015, algorithms 1 and 2"
    case = Golden("batchnorm", "inference", source, weights=dict.fromkeys(names, (4,)), inputs={"x": shape})
    weights, inputs = draw(case)
    gamma, beta, mean, variance = (weights[name] for name in names)
    yield replace(case, outputs={"output": gamma * (inputs["x"] - mean) / np.sqrt(variance + EPSILON) + beta})
    case = replace(case, phase="training", inputs={"x": shape, "upstream": shape})
    _, inputs = draw(case)
    norm = Normalisation(inputs["x"], gamma, beta, (0, 1, 2))
    gradient, *of_weights = norm.backward(inputs["upstream"])
    count = math.prod(shape[:3])
    buffers = {
        "norm.moving_mean": momentum * mean + (1 - momentum) * norm.mean.ravel(),
        "norm.moving_variance": momentum * variance + (1 - momentum) * norm.variance.ravel() * count / (count - 1),
    }
    yield trained(case, norm.output, gradient, dict(zip(names[:2], of_weights, strict=True)), **buffers)


def layernorm() -> Iterator[Golden]:
    """Return equations 3 and 4, over the last axis."""
    shape, names = (4, 8, 16), ("norm.gamma", "norm.beta")
    case = Golden(
        "layernorm", "inference", "Ba et al. 2016, section 3", weights=dict.fromkeys(names, (16,)), inputs={"x": shape}
    )
    weights, inputs = draw(case)
    norm = Normalisation(inputs["x"], *weights.values(), (-1,))
    yield replace(case, outputs={"output": norm.output})
    case = replace(case, phase="training", inputs={"x": shape, "upstream": shape})
    _, inputs = draw(case)
    gradient, *of_weights = norm.backward(inputs["upstream"])
    yield trained(case, norm.output, gradient, dict(zip(names, of_weights, strict=True)))


class SelfAttention:
    """Vaswani et al. 2017: positions of section 3.5, attention of section 3.2, residual and norm of section 3.1."""

    def __init__(self, x: Array, weights: dict[str, Array], heads: int) -> None:
        self.weights, self.heads = weights, heads
        _, length, width = x.shape
        angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(0, width, 2) / width)
        positions = np.zeros((length, width))
        positions[:, 0::2], positions[:, 1::2] = np.sin(angles), np.cos(angles)
        self.x = x + positions
        self.q, self.k, self.v = (self.split(self.dense(name, self.x)) for name in ("query", "key", "value"))
        self.root = math.sqrt(width / heads)
        odds = np.exp(np.einsum("bhtd,bhsd->bhts", self.q, self.k) / self.root)
        self.odds = odds / odds.sum(-1, keepdims=True)
        self.mixed = self.merge(self.odds @ self.v)
        residual = self.x + self.dense("out", self.mixed)
        self.norm = Normalisation(residual, weights["norm.gamma"], weights["norm.beta"], (-1,))

    def dense(self, name: str, x: Array) -> Array:
        """Return x W + b."""
        return x @ self.weights[f"{name}.kernel"] + self.weights[f"{name}.bias"]

    def split(self, x: Array) -> Array:
        """(B, T, C) -> (B, heads, T, C / heads)."""
        return x.reshape(*x.shape[:2], self.heads, -1).swapaxes(1, 2)

    def merge(self, x: Array) -> Array:
        """(B, heads, T, D) -> (B, T, heads D)."""
        return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)

    def backward(self, upstream: Array) -> tuple[Array, dict[str, Array]]:
        """Return the gradient of x, and those of the weights by name."""
        residual, gamma, beta = self.norm.backward(upstream)
        gradients = {"norm.gamma": gamma, "norm.beta": beta}
        mixed = self.split(self.dense_backward("out", self.mixed, residual, gradients))
        odds = mixed @ self.v.swapaxes(2, 3)
        scores = self.odds * (odds - (odds * self.odds).sum(-1, keepdims=True)) / self.root
        of_projections = {
            "query": scores @ self.k,
            "key": scores.swapaxes(2, 3) @ self.q,
            "value": self.odds.swapaxes(2, 3) @ mixed,
        }
        gradient = residual
        for name, each in of_projections.items():
            gradient = gradient + self.dense_backward(name, self.x, self.merge(each), gradients)
        return gradient, gradients

    def dense_backward(self, name: str, x: Array, upstream: Array, gradients: dict[str, Array]) -> Array:
        """Return the gradient of a dense layer's input, and add those of its weights to `gradients`."""
        gradients[f"{name}.kernel"] = np.einsum("bti,bto->io", x, upstream)
        gradients[f"{name}.bias"] = upstream.sum((0, 1))
        return upstream @ self.weights[f"{name}.kernel"].T


def attention() -> Iterator[Golden]:
    """Return one layer with two heads."""
    shape, width = (2, 8, 16), 16
    projections = ("query", "key", "value", "out")
    weights = {f"{name}.kernel": (width, width) for name in projections}
    weights |= dict.fromkeys((*(f"{name}.bias" for name in projections), "norm.gamma", "norm.beta"), (width,))
    case = Golden("attention", "inference", "Vaswani et al. 2017, section 3", weights=weights, inputs={"x": shape})
    drawn, inputs = draw(case)
    layer = SelfAttention(inputs["x"], drawn, heads=2)
    yield replace(case, outputs={"output": layer.norm.output})
    case = replace(case, phase="training", inputs={"x": shape, "upstream": shape})
    _, inputs = draw(case)
    gradient, gradients = layer.backward(inputs["upstream"])
    yield trained(case, layer.norm.output, gradient, gradients)


GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {
    "matmul": matmul,
    "stream": stream,
    "fft": fft,
    **{f"activation.{function}": partial(activation, function) for function in ACTIVATIONS},
    "batchnorm": batchnorm,
    "layernorm": layernorm,
    "attention": attention,
}
