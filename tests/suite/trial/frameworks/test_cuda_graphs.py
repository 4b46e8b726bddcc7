"""Mode `cudagraph`, as far as a CPU shows it: it is refused there, and each call begins a step of Inductor's trees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cuda_graph_steps import three_steps
from environments import require
from framework_process import Processes

require("torch")


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.close()


@pytest.mark.slow
def test_a_cpu_is_refused_and_each_call_is_a_step(processes: Processes) -> None:
    result = processes.call("pytorch", three_steps).result()
    assert result.pop("refusal") == (
        "PyTorch's mode cudagraph runs on a GPU only: a CUDA graph is a recording of what a GPU does"
    )
    assert result == {"outputs": [[0.0] * 3, [2.0] * 3, [4.0] * 3], "begun": 3, "skipped": 1}
