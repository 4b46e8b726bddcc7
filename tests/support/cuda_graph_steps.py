"""Steps of mode `cudagraph` on a CPU, to be run in PyTorch's process."""

from __future__ import annotations

from typing import Any


def three_steps() -> dict[str, Any]:
    """Compile a step with work on the CPU, which Inductor records no graph of, and run it three times."""
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
