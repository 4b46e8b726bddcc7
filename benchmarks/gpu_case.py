"""All cases of one workload in one framework, each once: whether its outputs are finite, and near eager fp32.

Run by `benchmarks.gpu_sweep` as `python -m benchmarks.gpu_case FRAMEWORK WORKLOAD DEVICE SIZE FIRST FOLDER`: begins at
the case number FIRST and appends a line of JSON for each case to FOLDER/rows. After a case that failed it ends with
status 3, since the error of a GPU is one of all later cases of its process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.frameworks.adapter import Execution, UnsupportedError, load
from joulemark.suite.trial.outcome import classify
from joulemark.workloads.registry import builder, workloads
from joulemark.workloads.spec import Phase, Workload

Row = dict[str, Any]
Outputs = Mapping[str, np.ndarray]

FRESH_PROCESS = 3
"""Exit status that asks for a process for the remaining cases."""
SEED = 1
STEPS = 14
"""Training in fp16 that diverged on an H200 did so within as many steps."""
TOLERANCES = {"fp32": 1e-3, "tf32": 0.02, "bf16": 0.1, "fp16": 0.05}
"""||a - b|| / ||b|| of the first outputs against eager fp32: a few roundings of the precision, through all layers."""


def cases(framework: str, workload: Workload) -> Iterator[tuple[Phase, str, str]]:
    """Yield (phase, mode, precision): eager fp32 first, then each precision in the default mode, then compiled fp32."""
    facts = FRAMEWORKS[framework]
    modes = [("eager", "fp32"), *((facts.default_mode, precision) for precision in facts.precisions)]
    modes += [(mode, "fp32") for mode, kind in facts.modes.items() if kind == "compiled"]
    for phase in workload.phases:
        yield from ((phase, mode, precision) for mode, precision in dict.fromkeys(modes))


def row_of(framework: str, workload: Workload, size: str, case: tuple[Phase, str, str]) -> Row:
    """Return what identifies a case."""
    phase, mode, precision = case
    return {"framework": framework, "workload": workload.id, "size": size} | {
        "phase": phase,
        "mode": mode,
        "precision": precision,
    }


def run_case(
    framework: str, workload: Workload, device: str, size: str, case: tuple[Phase, str, str], reference_file: Path
) -> Row:
    """Return status, reason, error and seconds of one case. `reference_file` keeps the outputs of eager fp32."""
    _, mode, precision = case
    kind = device.partition(":")[0]
    compiled = FRAMEWORKS[framework].modes[mode] == "compiled"
    refusal = workload.refusal(kind, precision, workload.sizes[size].batch_size[kind], compiled)
    if refusal:
        return {"status": "skipped", "reason": refusal}
    begin_s = time.monotonic()
    try:
        first, last = _outputs(framework, workload, size, case, device)
    except UnsupportedError as error:
        return {"status": "skipped", "reason": str(error)}
    except Exception as error:  # noqa: BLE001  whatever a framework raises is a result
        return {"status": "failed", "reason": classify(error)[1]}
    seconds = round(time.monotonic() - begin_s, 3)
    not_finite = [name for name, array in {**first, **last}.items() if not np.isfinite(array).all()]
    if not_finite:
        reason = f"not finite within {STEPS} steps: {', '.join(not_finite)}"
        return {"status": "failed", "reason": reason, "seconds": seconds}
    if (mode, precision) == ("eager", "fp32"):
        np.savez(reference_file, **first)
        return {"status": "ok", "reason": None, "error": 0.0, "seconds": seconds}
    return _compare(workload, precision, first, reference_file) | {"seconds": seconds}


def _outputs(
    framework: str, workload: Workload, size: str, case: tuple[Phase, str, str], device: str
) -> tuple[Outputs, Outputs]:
    """Return the outputs of the first and of the last step."""
    phase, mode, precision = case
    adapter = load(framework)(Execution(mode, device, precision, threads=int(os.environ["OMP_NUM_THREADS"])))
    kit = adapter.kit(SEED, training=phase == "training")
    batch_size = workload.sizes[size].batch_size[device.partition(":")[0]]
    sized = workload.sizes[size].at(batch_size)
    program = builder(workload, framework)(sized, phase, kit)
    arrays = workload.inputs(sized, phase, batch_size, np.random.default_rng(SEED))
    inputs = {name: kit.tensor(array) for name, array in arrays.items()}
    step = adapter.compile(program.step)
    first = {name: kit.array(tensor) for name, tensor in step(**inputs).items()}
    for _ in range(STEPS - 1):
        results = step(**inputs)
    adapter.synchronize()
    return first, {name: kit.array(tensor) for name, tensor in results.items()}


def _compare(workload: Workload, precision: str, first: Outputs, reference_file: Path) -> Row:
    """Return status, reason and error of a case with these first outputs."""
    if not reference_file.exists():
        return {"status": "not compared", "reason": "eager fp32 has no outputs to compare with", "error": None}
    with np.load(reference_file) as reference:
        names = [name for name in reference if not any(fnmatch(name, pattern) for pattern in workload.substitutes)]
        if precision != "fp32":  # a token is a choice between numbers: with less precision, another may win
            names = [name for name in names if reference[name].dtype.kind != "i"]
        error = max((_distance(first[name], reference[name]) for name in names), default=None)
    if error is not None and error > TOLERANCES[precision]:
        return {"status": "differs", "reason": f"first outputs differ from eager fp32 by {error:.2g}", "error": error}
    return {"status": "ok", "reason": None, "error": error}


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    exact = complex if np.iscomplexobj(b) else float
    scale = float(np.linalg.norm(np.ravel(b).astype(exact)))
    gap = float(np.linalg.norm(np.ravel(a).astype(exact) - np.ravel(b).astype(exact)))
    return gap / scale if scale else gap


def main(framework: str, workload_id: str, device: str, size: str, first: int, folder: Path) -> int:
    """Run the cases from number `first` on; return the exit status."""
    workload = workloads()[workload_id]
    for case in list(cases(framework, workload))[first:]:
        result = run_case(framework, workload, device, size, case, folder / f"{case[0]}.npz")
        with (folder / "rows").open("a", encoding="utf-8") as rows:
            rows.write(json.dumps(row_of(framework, workload, size, case) | result) + "\n")
        if result["status"] == "failed":
            return FRESH_PROCESS
    return 0


if __name__ == "__main__":
    *names, first_case, directory = sys.argv[1:]
    status = main(*names, int(first_case), Path(directory))
    sys.stderr.flush()
    os._exit(status)  # without the exit handlers of the frameworks, which may crash
