"""Golden values of projections: scikit-learn's principal components and t-SNE, UMAP by its closed-form gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import sklearn
from golden_values import Array, Golden, draw, oriented
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import PCA
from sklearn.manifold import _t_sne

POINTS = 12
STEPS = 2
A, B = 1.5769434, 0.8950609
"""umap-learn's fit for a minimal distance of 0.1 and a spread of 1."""
EPSILON = 1e-3


def descended(
    golden: Golden, name: str, loss: Callable[..., tuple[float, Array]], rate: float, momentum: float
) -> Golden:
    """Return the golden values of gradient descent on the weight `name`; `loss(places, **inputs)` has a gradient."""
    weights, inputs = draw(golden)
    places, velocity = weights[name], 0.0
    gradients = []
    value = 0.0
    for _ in range(golden.steps):
        value, gradient = loss(places, **inputs)
        gradients.append(gradient)
        velocity = momentum * velocity + gradient
        places = places - rate * velocity
    return replace(golden, outputs={"loss": np.array(value)}, gradients={name: gradients[0]}, after={name: places})


def affinities() -> Array:
    """Return affinities (12, 12) of normal points in 4 dimensions at a perplexity of 3, 1 in total."""
    points = np.random.default_rng(19).standard_normal((POINTS, 4))
    distances = squareform(pdist(points, "sqeuclidean")).astype(np.float32)
    near = squareform(_t_sne._joint_probabilities(distances, 3.0, verbose=0))
    return near / near.sum()


def divergence(places: Array, affinities: Array) -> tuple[float, Array]:
    """Return scikit-learn's divergence of the places' affinities from the given ones, and its gradient (12, 2)."""
    value, gradient = _t_sne._kl_divergence(places.ravel(), squareform(affinities), 1, POINTS, 2)
    return value, gradient.reshape(POINTS, 2)


def tsne() -> Iterator[Golden]:
    """Yield training: gradient descent by scikit-learn's gradient, with momentum 0.5."""
    source = (
        f"scikit-learn {sklearn.__version__}, _t_sne._kl_divergence; momentum 0.5 as in van der Maaten and Hinton 2008,"
        " section 3.4"
    )
    golden = Golden(
        "tsne", "training", source, {"places": (POINTS, 2)}, inputs={"affinities": affinities()}, steps=STEPS
    )
    yield descended(golden, "places", divergence, 10.0, 0.5)


def fuzzy_cross_entropy(
    places: Array, heads: Array, tails: Array, strengths: Array, negatives: Array
) -> tuple[float, Array]:
    """Return the cross-entropy of sampled edges a point, and its gradient (12, 2)."""
    pull = places[heads] - places[tails]  # (E, 2)
    push = places[heads][:, None] - places[negatives]  # (E, K, 2)
    near, far = (pull**2).sum(-1), (push**2).sum(-1)
    alike = 1 / (1 + A * near**B)
    unlike = (A * far**B + EPSILON) / (1 + A * far**B)
    loss = -strengths @ (np.log(alike) + np.log(unlike).sum(1))
    # 2 a b d^(2 (b - 1)) / (1 + a d^2b) towards the tail; from a negative, the same times (1 - eps) / (a d^2b + eps),
    # which is 2 b / (d^2 (1 + a d^2b)) as in umap-learn where eps is nothing beside the distance
    towards = (strengths * 2 * A * B * near ** (B - 1) * alike)[:, None] * pull
    away = 2 * A * B * far ** (B - 1) * (1 - EPSILON) / ((A * far**B + EPSILON) * (1 + A * far**B))
    away = (strengths[:, None] * away)[:, :, None] * push
    gradient = np.zeros_like(places)
    np.add.at(gradient, heads, towards - away.sum(1))
    np.add.at(gradient, tails, -towards)
    np.add.at(gradient, negatives, away)
    return loss / POINTS, gradient / POINTS


def umap() -> Iterator[Golden]:
    """Yield training: all edges' pulls and pushes at once."""
    source = (
        "McInnes et al. 2018, definition 11 and section 3.2, with negative sampling: the gradient of umap-learn's"
        " layouts.py in closed form, its epsilon within the logarithm, all edges at once, in numpy"
    )
    generator = np.random.default_rng(19)
    heads = np.repeat(np.arange(POINTS), 3)
    others = generator.integers(1, POINTS, (len(heads), 3))  # a tail and two negatives, none of them the head
    ends = (heads[:, None] + others) % POINTS
    inputs = {
        "heads": heads,
        "tails": ends[:, 0],
        "strengths": generator.uniform(0.1, 1, len(heads)),
        "negatives": ends[:, 1:],
    }
    golden = Golden("umap", "training", source, {"places.embeddings": (POINTS, 2)}, inputs=inputs, steps=STEPS)
    yield descended(golden, "places.embeddings", fuzzy_cross_entropy, 0.05, 0.0)


def pca() -> Iterator[Golden]:
    """Yield inference: two components of 24 points in 6 dimensions."""
    golden = Golden("pca", "inference", f"scikit-learn {sklearn.__version__}, PCA", inputs={"points": (1, 24, 6)})
    points = draw(golden)[1]["points"][0]
    fit = PCA(2, svd_solver="full").fit(points)
    outputs = {
        "variances": fit.explained_variance_,
        "components": fit.components_,
        "scores": fit.transform(points),
    }
    yield replace(golden, outputs=oriented({name: array[None] for name, array in outputs.items()}))


GOLDEN = {"tsne": tsne, "umap": umap, "pca": pca}
