"""Golden values of mlp, cnn, multibranch_cnn and transfer.features, from their equations in plain arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from golden_values import Drawn, Golden
from torch.nn import functional as F

from studies.golden.arithmetic import (
    VERSION,
    Tensors,
    conv,
    conv_shapes,
    dense,
    dense_shapes,
    norm_shapes,
    reference,
    relu,
)
from studies.golden.torch_reference import Descent, channels_first, cross_entropy, inference, training

SOURCE = f"arithmetic in {VERSION}, after "
ADAM = partial(torch.optim.Adam, lr=0.001, betas=(0.9, 0.999), eps=1e-8)
STATISTICS = ("gamma", "beta", "moving_mean", "moving_variance")
EPSILON, MOMENTUM = 1e-5, 0.9
"""Of batch norms."""


def batch_norm(w: Tensors, name: str, x: torch.Tensor, learning: bool) -> torch.Tensor:
    """Return x (B, C, H, W) normalised, and update the moving statistics: algorithms 1 and 2 of Ioffe and Szegedy."""
    gamma, beta, moving_mean, moving_variance = (w[f"{name}.{leaf}"] for leaf in STATISTICS)
    mean, variance = moving_mean, moving_variance
    if learning:
        count = x[:, 0].numel()
        mean = x.mean((0, 2, 3))
        variance = ((x - mean[:, None, None]) ** 2).mean((0, 2, 3))
        with torch.no_grad():
            moving_mean.copy_(MOMENTUM * moving_mean + (1 - MOMENTUM) * mean)
            moving_variance.copy_(MOMENTUM * moving_variance + (1 - MOMENTUM) * variance * count / (count - 1))
    normalised = (x - mean[:, None, None]) / torch.sqrt(variance + EPSILON)[:, None, None]
    return gamma[:, None, None] * normalised + beta[:, None, None]


def mlp() -> Iterator[Golden]:
    """Yield two hidden layers of 16 units on 784 pixels, and 10 classes."""
    shapes = {
        **dense_shapes("layers.0", 784, 16),
        **dense_shapes("layers.1", 16, 16),
        **dense_shapes("layers.2", 16, 10),
    }

    def forward(w: Tensors, images: torch.Tensor) -> dict[str, torch.Tensor]:
        hidden = relu(dense(w, "layers.1", relu(dense(w, "layers.0", images))))
        return {"logits": dense(w, "layers.2", hidden)}

    def loss(w: Tensors, images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": cross_entropy(forward(w, images)["logits"], labels)}

    source = SOURCE + "Rumelhart, Hinton and Williams 1986, with rectified units"
    inputs = {"images": (8, 784)}
    labels = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    yield inference("mlp", reference(source, shapes, forward), inputs)
    yield training("mlp", reference(source, shapes, loss), {**inputs, "labels": labels}, Descent(ADAM))


def cnn() -> Iterator[Golden]:
    """Yield 8, then 16 channels at half the edge, and 10 classes, on images of 32 x 32."""
    shapes = {
        "blocks.0.conv.kernel": (3, 3, 3, 8),
        **norm_shapes("blocks.0.norm", 8, STATISTICS),
        "blocks.1.conv.kernel": (3, 3, 8, 16),
        **norm_shapes("blocks.1.norm", 16, STATISTICS),
        **dense_shapes("head", 16, 10),
    }

    def logits(w: Tensors, images: torch.Tensor, learning: bool) -> torch.Tensor:
        x = channels_first(images)
        for block, stride in (("blocks.0", 1), ("blocks.1", 2)):
            x = relu(batch_norm(w, f"{block}.norm", conv(w, f"{block}.conv", x, stride), learning))
        return dense(w, "head", x.mean((2, 3)))

    def forward(w: Tensors, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": logits(w, images, learning=False)}

    def loss(w: Tensors, images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": cross_entropy(logits(w, images, learning=True), labels)}

    source = SOURCE + "Ioffe and Szegedy 2015, algorithms 1 and 2"
    inputs = {"images": (4, 32, 32, 3)}
    descent = Descent(partial(torch.optim.SGD, lr=0.05, momentum=0.9))
    yield inference("cnn", reference(source, shapes, forward), inputs)
    yield training("cnn", reference(source, shapes, loss), {**inputs, "labels": np.array([3, 1, 4, 1])}, descent)


def multibranch_cnn() -> Iterator[Golden]:
    """Yield three branches of 4, then 8 channels, 8 hidden units, and 10 classes and a score."""
    shapes = {**dense_shapes("merge", 24, 8), **dense_shapes("label", 8, 10), **dense_shapes("score", 8, 1)}
    for index, window in enumerate((3, 5, 7)):
        shapes |= conv_shapes(f"branches.{index}.conv1", 3, 4, window)
        shapes |= conv_shapes(f"branches.{index}.conv2", 4, 8, window)

    def branch(w: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(relu(conv(w, f"{name}.conv1", x)), 4)
        return relu(conv(w, f"{name}.conv2", x)).mean((2, 3))

    def forward(w: Tensors, images: torch.Tensor) -> dict[str, torch.Tensor]:
        x = channels_first(images)
        merged = torch.cat([branch(w, f"branches.{index}", x) for index in range(3)], dim=1)
        hidden = relu(dense(w, "merge", merged))
        return {"logits": dense(w, "label", hidden), "scores": dense(w, "score", hidden)}

    def loss(w: Tensors, images: torch.Tensor, labels: torch.Tensor, scores: torch.Tensor) -> dict[str, torch.Tensor]:
        outputs = forward(w, images)
        return {"loss": cross_entropy(outputs["logits"], labels) + 0.5 * ((outputs["scores"] - scores) ** 2).mean()}

    source = SOURCE + "the description in its spec: windows of Szegedy et al. 2015, half the squared error of the score"
    inputs = {"images": (2, 64, 64, 3)}
    targets = {"labels": np.array([3, 1]), "scores": (2, 1)}
    yield inference("multibranch_cnn", reference(source, shapes, forward), inputs)
    yield training("multibranch_cnn", reference(source, shapes, loss), {**inputs, **targets}, Descent(ADAM))


def features() -> Iterator[Golden]:
    """Yield a classifier of 32 features into 10 classes."""

    def loss(w: Tensors, features: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": cross_entropy(dense(w, "head", features), labels)}

    implementation = reference(SOURCE + "softmax regression", dense_shapes("head", 32, 10), loss)
    inputs = {"features": Drawn((4, 32), "unit"), "labels": np.array([3, 1, 4, 1])}
    descent = Descent(partial(torch.optim.SGD, lr=0.1, momentum=0.9))
    yield training("transfer.features", implementation, inputs, descent)


GOLDEN: dict[str, Callable[[], Iterator[Golden]]] = {
    "mlp": mlp,
    "cnn": cnn,
    "multibranch_cnn": multibranch_cnn,
    "transfer.features": features,
}
