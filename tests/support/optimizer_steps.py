"""Closed forms of what optimizers do in their first steps."""

from __future__ import annotations

import numpy as np

from joulemark.workloads.spec import Adam, Optimizer, Sgd

STEPS = 5
DEFINITIONS: list[Optimizer] = [
    Sgd(learning_rate=0.1),
    Sgd(learning_rate=0.05, momentum=0.9),
    Adam(learning_rate=0.01),
    # an epsilon as large as the gradients: that it stands in the right place shows
    Adam(learning_rate=0.01, beta_1=0.8, beta_2=0.95, epsilon=0.1),
]


def closed_form(definition: Optimizer, start: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Sums over all earlier gradients; no state is carried."""
    seen, weight = [], start
    for step in range(1, len(gradients) + 1):
        past = gradients[:step]
        age = np.arange(step)[::-1][:, None]
        if isinstance(definition, Sgd):
            weight = weight - definition.learning_rate * (definition.momentum**age * past).sum(0)
        else:
            b1, b2 = definition.beta_1, definition.beta_2
            mean = (1 - b1) * (b1**age * past).sum(0) / (1 - b1**step)
            square = (1 - b2) * (b2**age * past**2).sum(0) / (1 - b2**step)
            weight = weight - definition.learning_rate * mean / (np.sqrt(square) + definition.epsilon)
        seen.append(weight)
    return np.stack(seen)
