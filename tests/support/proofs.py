"""When two frameworks did the same work: what DESIGN asks of forward, gradients and updates, tensor by tensor."""

from __future__ import annotations

from fnmatch import fnmatch

import numpy as np
from framework_process import Result, Weights

FORWARD = {"fp64": 1e-6, "fp32": 1e-4}
BACKWARD = {"fp64": 1e-6, "fp32": 1e-3}


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """||a - b|| / ||b||, infinite where b is zero and a is not."""
    gap, scale = float(np.linalg.norm(np.ravel(a - b))), float(np.linalg.norm(np.ravel(b)))
    return gap / scale if scale else (0.0 if gap == 0 else float("inf"))


def unlike(kind: str, a: Weights, b: Weights, tolerance: float, besides: tuple[str, ...] = ()) -> list[str]:
    """One line for each tensor by which a and b differ by more than `tolerance`; but `besides`' patterns."""
    a, b = (
        {name: array for name, array in weights.items() if not any(fnmatch(name, pattern) for pattern in besides)}
        for weights in (a, b)
    )
    if a.keys() != b.keys():
        return [f"{kind}: names differ by {sorted(a.keys() ^ b.keys())}"]
    found = []
    for name in sorted(a):
        x, y = (array.astype(np.result_type(array, np.float64)) for array in (a[name], b[name]))
        if x.shape != y.shape:
            found.append(f"{kind} {name}: shapes {x.shape} and {y.shape}")
        elif not (gap := distance(x, y)) <= tolerance:
            found.append(f"{kind} {name}: differs by {gap:.2e}, more than {tolerance:.0e}")
    return found


def updates(result: Result) -> Weights:
    """What the steps changed, by name; a weight that no step changes is left out by both frameworks alike."""
    moved = {name: result.after[name].astype(np.float64) - result.before[name] for name in result.before}
    return {name: change for name, change in moved.items() if np.any(change)}


def disagreements(a: Result, b: Result, precision: str, besides: tuple[str, ...] = ()) -> list[str]:
    """All differences between two frameworks' results for one job."""
    forward, backward = FORWARD[precision], BACKWARD[precision]
    return [
        *unlike("weight", a.before, b.before, 0.0),
        *unlike("output", a.first, b.first, forward, besides),
        *unlike("gradient", a.gradients, b.gradients, backward, besides),
        *unlike("update", updates(a), updates(b), backward, besides),
    ]


def perturbed(weights: Weights) -> Weights:
    """Scales off 1 and offsets off 0, so that a mistake in either shows."""
    generator = np.random.default_rng(11)
    found = {}
    for name, weight in sorted(weights.items()):
        leaf = name.rpartition(".")[2]
        value = weight.astype(np.float64)
        if leaf in ("gamma", "moving_variance"):
            value = value * generator.uniform(0.5, 1.5, weight.shape)
        elif leaf in ("beta", "bias", "moving_mean"):
            value = value + 0.1 * generator.standard_normal(weight.shape)
        # float32 numbers, so that both precisions start from the same
        found[name] = value.astype(np.float32)
    return found
