"""An interpreter whose PyTorch says that it has GPUs, each of which is the CPU; some take longer for each step.

There is no CUDA to make a real one see several. All else is real: fork servers, trials, ranks and their windows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

SHIM = """
import dataclasses, sys, time
from joulemark.suite.trial import fork_server
from joulemark.workloads.registry import workloads

for name, size in (("matmul", "n8192"), ("stream", "base")):  # a GPU's probes take minutes on a CPU
    sizes = workloads()[name].sizes
    sizes[size] = sizes["tiny"]

DELAYS_S = {delays_s}
module = fork_server.import_adapter(sys.argv[1])


class OnCpu(module.Adapter):
    def __init__(self, execution):
        self.delay_s = DELAYS_S.get(execution.device, 0.0)
        super().__init__(dataclasses.replace(execution, device="cpu"))

    def compile(self, step):
        compiled = super().compile(step)

        def delayed(**inputs):
            end = time.perf_counter() + self.delay_s
            outputs = compiled(**inputs)
            time.sleep(max(0.0, end - time.perf_counter()))  # the CPU is left to the other GPUs
            return outputs

        return delayed


module.Adapter = OnCpu
fork_server.main(sys.argv[1:])
"""


def interpreter(directory: Path, uuids: tuple[str, ...], delays_s: Mapping[str, float]) -> str:
    """Return an interpreter with as many GPUs as `uuids`; `delays_s`: the least time of a step on each, seconds."""
    shim, python = directory / "shim.py", directory / "python"
    shim.write_text(SHIM.format(delays_s=dict(delays_s)))
    info = {
        "version": version("torch"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "build": "cuda 13.0",
        "devices": ["cpu", *(f"cuda:{i}" for i in range(len(uuids)))],
        "boards": [uuid.removeprefix("GPU-") for uuid in uuids],
    }
    python.write_text(
        "#!/bin/sh\ncase $* in\n"
        f"*suite.trial.discover*) echo '{json.dumps(info)}' ;;\n"
        f"*suite.trial.fork_server*) shift 3; exec '{sys.executable}' -P '{shim}' \"$@\" ;;\n"
        f"*) exec '{sys.executable}' \"$@\" ;;\nesac\n"
    )
    python.chmod(0o755)
    return str(python)
