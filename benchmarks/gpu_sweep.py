"""Every workload and phase in every precision, and in one compiled mode, once on a device: finite, and near eager fp32.

Each workload runs in a process of its own, so that an error of the device ends one workload and not the others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatch
from multiprocessing import get_context
from typing import Any

import numpy as np

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.frameworks.adapter import Execution, UnsupportedError, load
from joulemark.workloads.registry import builder, supports, workloads
from joulemark.workloads.spec import Phase, Workload

Row = dict[str, Any]

SEED = 1
STEPS = 3
"""Training diverges within a few steps where it does at all: fp16 without loss scaling in the second."""
TOLERANCES = {"fp32": 1e-3, "tf32": 0.02, "bf16": 0.1, "fp16": 0.05}
"""||a - b|| / ||b|| of the first outputs against eager fp32: a few roundings of the precision, through all layers."""


def modes(framework: str) -> Iterator[tuple[str, str]]:
    """Yield the (mode, precision) that are run: each precision in the default mode, and fp32 in a compiled one."""
    facts = FRAMEWORKS[framework]
    yield from ((facts.default_mode, precision) for precision in facts.precisions)
    yield from ((mode, "fp32") for mode, kind in facts.modes.items() if kind == "compiled")


def sweep(frameworks: list[str], device: str, size: str, processes: int, timeout_s: float) -> Iterator[Row]:
    """Yield a row for each workload, phase, mode and precision, as they end; workloads without time are `not run`."""
    tasks = [
        (framework, workload.id)
        for workload in workloads().values()
        for framework in frameworks
        if supports(workload, framework) and device.partition(":")[0] in workload.devices and size in workload.sizes
    ]
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), max_tasks_per_child=1)
    futures = {pool.submit(run_workload, *task, device, size): task for task in tasks}
    try:
        for future in as_completed(futures, timeout_s):
            framework, workload = futures.pop(future)
            try:
                yield from future.result()
            except Exception as error:  # noqa: BLE001 - a crash is a result of this workload
                yield {"framework": framework, "workload": workload, "status": "failed", "reason": _line(error)}
    except TimeoutError:
        for framework, workload in futures.values():
            yield {"framework": framework, "workload": workload, "status": "not run", "reason": "no time was left"}
    finally:
        for process in (pool._processes or {}).values():
            process.terminate()
        pool.shutdown(cancel_futures=True)


def run_workload(framework: str, workload_id: str, device: str, size: str) -> list[Row]:
    """Return the rows of one workload in one framework. Runs in a process of its own."""
    workload = workloads()[workload_id]
    rows = []
    for phase in workload.phases:
        reference: Mapping[str, np.ndarray] = {}
        for mode, precision in modes(framework):
            row: Row = {"framework": framework, "workload": workload_id, "phase": phase}
            row |= {"size": size, "mode": mode, "precision": precision}
            compiled = FRAMEWORKS[framework].modes[mode] == "compiled"
            batch_size = workload.sizes[size].batch_size[device.partition(":")[0]]
            refusal = workload.refusal(device.partition(":")[0], precision, batch_size, compiled)
            if refusal:
                rows.append(row | {"status": "skipped", "reason": refusal})
                continue
            start_s = time.monotonic()
            try:
                first, last = _outputs(framework, workload, phase, size, mode, device, precision)
            except UnsupportedError as error:
                rows.append(row | {"status": "skipped", "reason": str(error)})
                continue
            except Exception as error:  # noqa: BLE001 - whatever a framework raises is a result
                rows.append(row | {"status": "failed", "reason": _line(error)})
                continue
            reference = reference or first
            rows.append(
                row | {"seconds": time.monotonic() - start_s} | _compare(workload, precision, first, last, reference)
            )
    return rows


def _outputs(
    framework: str, workload: Workload, phase: Phase, size: str, mode: str, device: str, precision: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the outputs of the first and of the last step."""
    adapter = load(framework)(Execution(mode, device, precision, threads=2))
    kit = adapter.kit(SEED)
    batch_size = workload.sizes[size].batch_size[device.partition(":")[0]]
    program = builder(workload, framework)(workload.sizes[size].at(batch_size), phase, kit)
    arrays = workload.inputs(workload.sizes[size].at(batch_size), phase, batch_size, np.random.default_rng(SEED))
    inputs = {name: kit.tensor(array) for name, array in arrays.items()}
    step = adapter.compile(program.step)
    outputs = []
    for _ in range(STEPS):
        results = step(**inputs)
        adapter.synchronize()
        outputs.append({name: kit.array(tensor) for name, tensor in results.items()})
    return outputs[0], outputs[-1]


def _compare(
    workload: Workload,
    precision: str,
    first: Mapping[str, np.ndarray],
    last: Mapping[str, np.ndarray],
    reference: Mapping[str, np.ndarray],
) -> Row:
    """Return status, reason and error of one case."""
    not_finite = [name for name, array in {**first, **last}.items() if not np.isfinite(array).all()]
    if not_finite:
        return {"status": "failed", "reason": f"not finite after {STEPS} steps: {', '.join(not_finite)}", "error": None}
    compared = [name for name in reference if not any(fnmatch(name, pattern) for pattern in workload.substitutes)]
    error = max((_distance(first[name], reference[name]) for name in compared), default=None)
    if error is not None and error > TOLERANCES[precision]:
        return {"status": "differs", "reason": f"first outputs differ from eager fp32 by {error:.2g}", "error": error}
    return {"status": "ok", "reason": None, "error": error}


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    scale = float(np.linalg.norm(np.ravel(b)))
    gap = float(np.linalg.norm(np.ravel(np.asarray(a, complex if np.iscomplexobj(a) else float) - b)))
    return gap / scale if scale else gap


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
