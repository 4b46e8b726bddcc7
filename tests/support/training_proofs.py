"""Training in a mode and precision does what eager fp32 does: its updates agree within what rounding explains.

How far rounding may take the update of a weight, its change over `STEPS` steps, is derived from the case itself.
PyTorch trains in eager fp32, then `RUNS` times more with every number moved at random by up to one rounding of the
precision (`random_rounding`). The largest distance of these runs from the first holds what rounding does in this
model: how deep it is, ReLUs and maxima near their edges, and that Adam divides a gradient by its own size, so that one
near zero is an update of either sign. That distance times `FACTOR` is the tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from framework_process import PROOF_MODE, Job, Processes, Result, Weights
from proofs import distance

STEPS = 3
RUNS = {"fp32": 9, "bf16": 3, "fp16": 3}
"""More in fp32, where the largest distance is not multiplied: a further run is nearer in 9 of 10 cases."""
UNIT = {"fp32": 2.0**-24, "bf16": 2.0**-8, "fp16": 2.0**-11}
"""Unit roundoff: the largest relative error of one rounding to the nearest number."""
FACTOR = {"fp32": 64.0, "bf16": 8.0, "fp16": 8.0}
"""Roundings of another mode or framework for one of PyTorch's operations, which add up like their root. In fp32 modes
add in other orders: a sum of n numbers errs by about sqrt(n) roundings, and n is up to 4096 (the pixels of a batch, in
the gradient of a convolution). In half precision most sums are in float32, but TensorFlow 2.21 on a CPU adds some in
the half type (gradients of biases in bf16, `reduce_sum` in fp16): up to about 64 numbers (the tokens of a batch)."""
AT_ONCE = {"fp32": 64.0, "bf16": 1.0, "fp16": 1.0}
"""Roundings by which the runs move each number; their distance is multiplied by the rest of `FACTOR`. All in fp32: what
roundings do there is in proportion to their size, but for a ReLU whose input is so near zero that only many turn it."""
COMPARABLE = 0.5
"""Largest tolerance at which a weight is compared by itself: half of the distance, 1, of a step that never updates or
updates twice. Above it rounding decides about the update, as of a bias before a softmax, which has no gradient."""
OVERFLOWS = 9
"""Steps that overflow first, in fp16: each halves the loss scale, which starts where a sound step may overflow too."""


@dataclass(frozen=True)
class Agreement:
    """How the updates of a run agree with those of the reference."""

    distances: Mapping[str, float]
    """||a - b|| / ||b|| of each weight's update a and the reference's b, without the element that is farthest away."""
    tolerances: Mapping[str, float]
    projection: float
    """<a, b> / <b, b> over all trainable weights: 0 for a step that never updates, 2 for one that updates twice."""
    skipped: bool
    """Whether the steps that overflow, if any, were skipped."""
    started_elsewhere: tuple[str, ...] = ()
    """Weights whose values at the start are not the reference's: those of training are float32 in every precision."""

    def compared(self) -> list[str]:
        """Return the weights that are compared one by one."""
        return [name for name, tolerance in self.tolerances.items() if tolerance <= COMPARABLE]

    def differences(self) -> list[str]:
        """Return a line for each difference that rounding does not explain."""
        lines = [] if self.skipped else ["a step that overflows is not skipped"]
        lines += [f"weight {name}: starts from other values" for name in self.started_elsewhere]
        for name in self.compared():
            gap, tolerance = self.distances[name], self.tolerances[name]
            if not gap <= tolerance:
                lines.append(f"update {name}: differs by {gap:.1e}, more than {tolerance:.1e}")
        if not 0.5 < self.projection < 1.5:
            lines.append(f"all updates: {self.projection:.2f} times the reference's")
        return lines

    def figures(self) -> dict[str, float]:
        """Return numbers for a table: the median tolerance, the largest distance in tolerances, the projection."""
        compared = [name for name in self.compared() if self.tolerances[name]]
        return {
            "weights": len(self.tolerances),
            "compared": len(compared),
            "tolerance": median([self.tolerances[name] for name in compared] or [0.0]),
            "used": max([self.distances[name] / self.tolerances[name] for name in compared] or [0.0]),
            "projection": self.projection,
        }


def reference_job(framework: str, workload: str, weights: Weights | None = None) -> Job:
    """Return the training that all modes and precisions of a framework are compared with."""
    return Job(framework, workload, "training", mode=PROOF_MODE[framework], steps=STEPS, weights=weights)


def changes(result: Result) -> Weights:
    """Return the change of each weight, float64, by name."""
    return {name: result.after[name].astype(np.float64) - result.before[name] for name in result.before}


def tolerances(processes: Processes, workload: str, precision: str, weights: Weights | None = None) -> dict[str, float]:
    """Return the largest distance of each weight's update from the reference's that rounding explains."""
    job = reference_job("pytorch", workload, weights)
    size = AT_ONCE[precision] * UNIT[precision]
    jobs = [job, *(replace(job, rounding=(size, seed)) for seed in range(RUNS[precision]))]
    exact, *moved = (future.result() for future in [processes.submit(each) for each in jobs])
    updates, others = changes(exact), [changes(each) for each in moved]
    return {
        name: FACTOR[precision] / AT_ONCE[precision] * max(distance(other[name], update) for other in others)
        + storing(exact.after[name], update, name in exact.trainable)
        for name, update in updates.items()
    }


def storing(weight: np.ndarray, update: np.ndarray, trainable: bool) -> float:
    """Return the error of an update whose weight is rounded to float32 after each step, in parts of the update.

    A trainable weight that has not moved has lost all of its update; another one has none.
    """
    scale = float(np.linalg.norm(update))
    if not scale:
        return math.inf if trainable else 0.0
    return STEPS * UNIT["fp32"] * float(np.linalg.norm(weight)) / scale


def distance_of_most(a: np.ndarray, b: np.ndarray) -> float:
    """Return ||a - b|| / ||b|| without the farthest element; where b is zero, infinity unless a is zero.

    One gradient near zero, whose sign rounding turns now and then, is not turned in each of a few runs; Adam makes of
    it an update as large as others, which is most of the distance of a small weight.
    """
    gaps, scale = np.abs(a - b).ravel(), float(np.linalg.norm(b))
    if not scale:
        return distance(a, b)
    gaps[gaps.argmax()] = 0.0
    return float(np.linalg.norm(gaps)) / scale


def agreement(reference: Result, result: Result, allowed: Mapping[str, float]) -> Agreement:
    """Compare the updates of a run with those of the reference."""
    ours, theirs = changes(result), changes(reference)
    product = sum(float(np.vdot(ours[name], theirs[name])) for name in reference.trainable)
    square = sum(float(np.vdot(theirs[name], theirs[name])) for name in reference.trainable)
    return Agreement(
        distances={name: distance_of_most(ours[name], theirs[name]) for name in theirs},
        tolerances=allowed,
        projection=product / square,
        skipped=result.skipped,
        started_elsewhere=tuple(name for name, w in reference.before.items() if np.any(w != result.before[name])),
    )


def overflows(precision: str, reference: Result) -> int:
    """Return how many steps overflow first: where fp16 has a loss, it is scaled."""
    return OVERFLOWS if precision == "fp16" and "loss" in reference.first else 0
