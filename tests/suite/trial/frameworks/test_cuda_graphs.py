"""Mode `cudagraph`, as far as a CPU shows it: it is refused there, and each call begins a step of Inductor's trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from environments import require
from framework_process import Processes

require("torch")


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.close()


def three_steps() -> dict[str, Any]:
    """Compile a step with work on the CPU, which Inductor records no graph of. Runs in PyTorch's process."""
    import torch
    from torch._inductor import cudagraph_trees

    from joulemark.suite.trial.frameworks.adapter import Execution, UnsupportedError
    from joulemark.suite.trial.frameworks.pytorch import Adapter, skipped_graphs, with_cuda_graphs

    refusal = ""
    try:
        Adapter(Execution("cudagraph", "cpu", "fp32", 1))
    except UnsupportedError as error:
        refusal = str(error)
    step = with_cuda_graphs(lambda x: {"double": 2 * x})
    outputs = [step(x=torch.full((3,), float(number)))["double"].tolist() for number in range(3)]
    return {
        "refusal": refusal,
        "outputs": outputs,
        "begun": -cudagraph_trees.MarkStepBox.mark_step_counter,  # counts down
        "skipped": skipped_graphs(),
    }


@pytest.mark.slow
def test_a_cpu_is_refused_and_each_call_is_a_step(processes: Processes) -> None:
    result = processes.call("pytorch", three_steps).result()
    assert result.pop("refusal") == (
        "PyTorch's mode cudagraph runs on a GPU only: a CUDA graph is a recording of what a GPU does"
    )
    assert result == {"outputs": [[0.0] * 3, [2.0] * 3, [4.0] * 3], "begun": 3, "skipped": 1}
