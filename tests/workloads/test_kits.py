"""Each kit has what the `Kit` protocol says; it refuses weights that do not fit, and converts arrays both ways."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from framework_process import FRAMEWORKS, Job, Processes, make_kit, prepare

import joulemark.workloads
from joulemark.workloads.kit import Kit

Parameters = dict[str, tuple[str, object]]

PROTOCOL = {name: member for name, member in vars(Kit).items() if inspect.isfunction(member) and name[0] != "_"}


def parameters(function: object) -> Parameters:
    """Kind and default of each parameter by name."""
    signature = inspect.signature(function)
    return {p.name: (p.kind.name, p.default) for p in signature.parameters.values() if p.name != "self"}


def kit_parameters(framework: str) -> dict[str, Parameters]:
    """Parameters of the public methods of the framework's kit. Runs in the framework's process."""
    kit = make_kit(framework, "fp32")
    methods = {name: getattr(kit, name) for name in dir(kit) if name[0] != "_"}
    return {name: parameters(method) for name, method in methods.items() if inspect.ismethod(method)}


def load_altered(framework: str, alteration: str) -> None:
    """Load cnn's weights with one mistake. Runs in the framework's process."""
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
def test_a_kit_has_the_protocol_s_methods_and_parameters(processes: Processes, framework: str) -> None:
    methods = processes.call(framework, kit_parameters, framework).result()
    assert {name: methods.get(name) for name in PROTOCOL} == {
        name: parameters(member) for name, member in PROTOCOL.items()
    }


def test_the_protocol_has_all_that_workloads_use() -> None:
    folder = Path(joulemark.workloads.__file__).parent
    files = [path for framework in FRAMEWORKS for path in folder.glob(f"*/{framework}.py")]
    used = {name for path in files for name in re.findall(r"\bkit\.(\w+)\(", path.read_text())}
    assert len(files) >= 60
    assert used <= PROTOCOL.keys()
    assert PROTOCOL.keys() - used == {"array"}, "array() is for the harness; whatever else no workload uses is dead"


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
    returned = processes.call(framework, round_trip, framework, array, precision).result()
    assert returned.dtype == np.float64
    error = np.abs(returned / array - 1).max()
    assert gap / 100 <= error <= gap
    labels = np.arange(4)
    assert np.array_equal(processes.call(framework, round_trip, framework, labels, precision).result(), labels)
