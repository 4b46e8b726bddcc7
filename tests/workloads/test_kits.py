"""Kits refuse weights that do not fit, and turn arrays into tensors and back."""

from __future__ import annotations

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, make_kit, prepare


def load_altered(framework: str, alteration: str) -> None:
    """Loads cnn's weights with one mistake. Runs in the framework's process."""
    _, program, _ = prepare(Job(framework, "cnn", "inference"))
    weights = program.weights()
    if alteration == "missing":
        del weights["head.bias"]
    elif alteration == "unknown":
        weights["head.offset"] = weights["head.bias"]
    else:
        weights["head.kernel"] = weights["head.kernel"].T
    program.load_weights(weights)


def round_trip(framework: str, array: np.ndarray, precision: str) -> np.ndarray:
    """Array -> tensor -> array. Runs in the framework's process."""
    kit = make_kit(framework, precision)
    return kit.array(kit.tensor(array))


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    ("alteration", "error", "names"),
    [("missing", KeyError, "head.bias"), ("unknown", KeyError, "head.offset"), ("shape", ValueError, "head.kernel")],
)
def test_weights_that_do_not_fit(
    processes: Processes, framework: str, alteration: str, error: type[Exception], names: str
) -> None:
    with pytest.raises(error, match=names):
        processes.call(framework, load_altered, framework, alteration).result()


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(("precision", "gap"), [("fp64", 0.0), ("fp32", 1e-7), ("bf16", 1e-2), ("fp16", 1e-3)])
def test_arrays_come_back(processes: Processes, framework: str, precision: str, gap: float) -> None:
    array = np.random.default_rng(1).standard_normal((3, 4))
    found = processes.call(framework, round_trip, framework, array, precision).result()
    assert found.dtype == np.float64
    error = np.abs(found / array - 1).max()
    assert gap / 100 <= error <= gap
    labels = np.arange(4)
    assert np.array_equal(processes.call(framework, round_trip, framework, labels, precision).result(), labels)
