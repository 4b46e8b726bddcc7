"""Principal components: centre, singular value decomposition, projection on the first components."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Arrays, Phase, Size, Workload


def inputs(size: Size, _phase: Phase, batch: int, generator: np.random.Generator) -> Arrays:
    """Return points (B, n, d).

    Normal, with standard deviations that fall from 2 to 1, so that the components are apart.
    """
    spread = np.geomspace(2, 1, size.d).astype(np.float32)
    return {"points": generator.standard_normal((batch, size.n, size.d), np.float32) * spread + 1}


def flops(size: Size, _phase: Phase) -> float:
    """Return the FLOPs of one item.

    6 n d^2 + 20 d^3 for the decomposition with both factors by R-SVD (Golub and Van Loan 2013, table 8.6.1), centring,
    and the projection.
    """
    n, d, k = size.n, size.d, size.k
    return 6.0 * n * d**2 + 20.0 * d**3 + 2.0 * n * d + 2.0 * n * d * k


WORKLOADS = (
    Workload(
        name="pca",
        title="principal components by SVD",
        family="manifolds",
        item="data set",
        paper="Pearson 1901, https://doi.org/10.1080/14786440109462720",
        phases=("inference",),
        sizes={
            "tiny": Size({"n": 24, "d": 6, "k": 2}, {"cpu": 1, "cuda": 1}),
            "small": Size({"n": 1024, "d": 128, "k": 2}, {"cpu": 1, "cuda": 1}),
            "base": Size({"n": 8192, "d": 512, "k": 32}, {"cpu": 1, "cuda": 1}),
        },
        inputs=inputs,
        flops=flops,
        flops_note="Golub and Van Loan's count, whatever algorithm the library takes",
        bytes=lambda size, _phase, _batch, element: element * (size.n * size.d + size.k * (size.n + size.d + 1)),
        precisions=("fp32",),
        substitutes={
            "components": "each may point either way: equal up to its sign",
            "scores": "as the components: equal up to the sign of each column",
        },
    ),
)
