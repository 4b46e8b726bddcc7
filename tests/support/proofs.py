"""Criteria for equal work in two frameworks: forward, gradients and updates agree, tensor by tensor."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch

import numpy as np
from framework_process import Result, Weights
from scipy.stats import kendalltau

from joulemark.workloads.registry import workloads

FORWARD = {"fp64": 1e-6, "fp32": 1e-4}
BACKWARD = {"fp64": 1e-6, "fp32": 1e-3}


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return ||a - b|| / ||b||; infinite where b is zero and a is not."""
    gap, scale = float(np.linalg.norm(np.ravel(a - b))), float(np.linalg.norm(np.ravel(b)))
    return gap / scale if scale else (0.0 if gap == 0 else float("inf"))


def differing_tensors(kind: str, a: Weights, b: Weights, tolerance: float, excluded: tuple[str, ...] = ()) -> list[str]:
    """Return a line for each tensor that differs by more than `tolerance`, except those that match `excluded`."""
    a, b = (
        {name: array for name, array in weights.items() if not any(fnmatch(name, pattern) for pattern in excluded)}
        for weights in (a, b)
    )
    if a.keys() != b.keys():
        return [f"{kind}: names differ by {sorted(a.keys() ^ b.keys())}"]
    lines = []
    for name in sorted(a):
        x, y = (array.astype(np.result_type(array, np.float64)) for array in (a[name], b[name]))
        if x.shape != y.shape:
            lines.append(f"{kind} {name}: shapes {x.shape} and {y.shape}")
        elif not (gap := distance(x, y)) <= tolerance:
            lines.append(f"{kind} {name}: differs by {gap:.2e}, more than {tolerance:.0e}")
    return lines


def updates(result: Result) -> Weights:
    """Return the change of each weight over the steps, by name; unchanged weights are left out."""
    moved = {name: result.after[name].astype(np.float64) - result.before[name] for name in result.before}
    return {name: change for name, change in moved.items() if np.any(change)}


def differences(
    a: Result, b: Result, precision: str, excluded: tuple[str, ...] = (), *, weights: bool = True
) -> list[str]:
    """Return all differences between two results of one job; without `weights`, initial weights may differ."""
    forward, backward = FORWARD[precision], BACKWARD[precision]
    return [
        *(differing_tensors("weight", a.before, b.before, 0.0) if weights else ()),
        *differing_tensors("output", a.first, b.first, forward, excluded),
        *differing_tensors("gradient", a.gradients, b.gradients, backward, excluded),
        *differing_tensors("update", updates(a), updates(b), backward, excluded),
    ]


def perturb(weights: Weights, point: int = 11) -> Weights:
    """Return weights with scales other than 1 and offsets other than 0: mistakes in either then show."""
    generator = np.random.default_rng(point)
    changed = {}
    for name, weight in sorted(weights.items()):
        leaf = name.rpartition(".")[2]
        value = weight.astype(np.float64)
        if leaf in ("gamma", "moving_variance"):
            value = value * generator.uniform(0.5, 1.5, weight.shape)
        elif leaf in ("beta", "bias", "moving_mean"):
            value = value + 0.1 * generator.standard_normal(weight.shape)
        # float32 numbers: both precisions start from the same values
        changed[name] = value.astype(np.float32)
    return changed


def perturb_slightly(weights: Weights, draw: int) -> Weights:
    """Return float64 weights, each moved by up to 32 float32 roundings: about what a few layers accumulate."""
    generator = np.random.default_rng(draw)
    return {
        name: weight.astype(np.float64) * (1 + 32 * 2.0**-24 * generator.uniform(-1, 1, weight.shape))
        for name, weight in sorted(weights.items())
    }


def check_outputs(result: Result) -> None:
    """Check that there are outputs and that all are finite."""
    assert result.last
    for name, array in result.last.items():
        assert array.size, name
        assert np.isfinite(array).all(), name


def check_descent(result: Result) -> None:
    """Check that the output that should fall is finite in each step, and falls."""
    values = result.decreasing_output
    assert np.isfinite(values).all(), values
    assert falls(values), values


def falls(values: Sequence[float]) -> bool:
    """Return whether the last value is below the first, and values fall in between.

    They do if their rank correlation with the step (Kendall's tau) is one that numbers without order have in less than
    one of 1000 cases. A loss that only fluctuates is below its first value in most steps, if that was a high one. What
    ends below a hundredth of its first value has fallen too: its last values are rounding errors.
    """
    if values[-1] < values[0] / 100:
        return True
    return values[-1] < values[0] and kendalltau(range(len(values)), values, alternative="less").pvalue < 1e-3


def check_cast(full: Result, half: Result) -> None:
    """Check that something was computed in less than float32: an output or, where a loss is too coarse, an update."""
    pairs = [(half.first[name], array) for name, array in full.first.items()]
    moved, reference = updates(half), updates(full)
    pairs += [(moved.get(name, np.zeros_like(change)), change) for name, change in reference.items()]
    gap = max(distance(a, b) for a, b in pairs)
    # float32's own rounding is 6e-8, fp16's 5e-4
    assert gap >= 1e-6, f"outputs and updates differ by {gap:.1e} only: nothing was cast"


def gaps(workload: str, a: Weights, b: Weights) -> dict[str, float]:
    """Return the distance of each output, but those that the workload says cannot agree."""
    excluded = workloads()[workload].substitutes
    assert a.keys() == b.keys()
    return {name: distance(b[name], a[name]) for name in a if not any(fnmatch(name, pattern) for pattern in excluded)}


def check_same(workload: str, phase: str, a: Result, b: Result) -> None:
    """Check that first outputs agree within 1e-3; without training, whose rounding errors grow, the last ones too."""
    pairs = [(a.first, b.first), (a.last, b.last)][: 1 if phase == "training" else 2]
    for ours, theirs in pairs:
        distances = gaps(workload, ours, theirs)
        assert max(distances.values(), default=0.0) <= 1e-3, distances


def check_near(workload: str, full: Result, half: Result) -> None:
    """Check that half precision is near float32, and not equal, which would mean that nothing was cast.

    8 bits of mantissa leave some percent after a few layers. A token is a choice between numbers, and not compared.
    """
    near = gaps(workload, *({n: x for n, x in each.first.items() if x.dtype.kind == "f"} for each in (full, half)))
    assert 1e-6 <= max(near.values()) <= 0.1, near
