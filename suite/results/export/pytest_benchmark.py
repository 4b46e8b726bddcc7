"""pytest-benchmark's JSON, as `pytest-benchmark compare` and `pytest --benchmark-compare` read it.

A benchmark is a case and a round is a trial, the independent unit; its time is that of one step. For a case with one
trial the rounds are the blocks of its window, like those of a benchmark in one process; `extra_info` says which.
pytest-benchmark's mean is arithmetic. The numbers of the table, geometric means with intervals, kinds and reasons, are
in `extra_info`.
"""

from __future__ import annotations

import json
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, Final

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.export.measures import no_numbers
from joulemark.suite.results.table import AT_LEAST, Cell, Row, table

VERSION: Final = "5.1.0"
"""The version of pytest-benchmark whose format this is."""
NODE: Final = "joulemark"
"""The test node of all cases, as in `pytest --joulemark-suite`."""


def render(run_file: RunFile) -> str:
    """Return the document. Cases without numbers are listed under `joulemark`. Raises UsageError if no case has
    numbers: pytest-benchmark cannot read an empty file."""
    rows = table(run_file).rows
    timed = [(row, _step_times(row.case)) for row in rows if row.status == "ok"]
    benchmarks = [_benchmark(row, *times) for row, times in timed if times[0]]
    if not benchmarks:
        raise no_numbers(run_file, "pytest-benchmark")
    document = {
        "machine_info": _machine(run_file),
        "commit_info": {},
        "benchmarks": benchmarks,
        "datetime": run_file.run.started_at,
        "version": VERSION,
        "joulemark": {
            "run": run_file.run.id,
            "suite_version": run_file.run.suite_version,
            "emissions": run_file.emissions.model_dump(mode="json", exclude={"intervals"}),
            "lost": [
                {"fullname": f"{NODE}::{row.case.id}", "status": row.status, "reason": row.reason}
                for row in rows
                if row.status != "ok"
            ],
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _step_times(case: Case) -> tuple[list[float], int, str]:
    """Return the seconds of one step for each round, the steps of a round, and what a round is."""
    trials = [trial for trial in case.ok_trials if trial.steps and trial.window_length_s > 0]
    if len(trials) == 1 and trials[0].block_s and trials[0].steps_per_block:
        (trial,) = trials
        return [block / trial.steps_per_block for block in trial.block_s], trial.steps_per_block, "blocks of one trial"
    times = [trial.window_length_s / trial.steps for trial in trials]
    steps = round(statistics.median(trial.steps for trial in trials)) if trials else 0
    return times, steps, "trials"


def _benchmark(row: Row, times: list[float], steps: int, rounds_are: str) -> dict[str, Any]:
    case = row.case
    axes = ("workload", "variant", "size", "phase", "framework", "mode", "device", "precision", "batch_size")
    return {
        # pytest-benchmark shows one table per group: that of comparable cases.
        "group": f"{case.workload_id}:{case.size}/{case.phase}/{case.device}/{case.precision}/b{case.batch_size}",
        "name": case.id,
        "fullname": f"{NODE}::{case.id}",
        "params": {axis: getattr(case, axis) for axis in axes},
        "param": case.id,
        "extra_info": {
            "rounds_are": rounds_are,
            "workload_version": case.workload_version,
            "notices": [notice.code for notice in case.notices],
            **_per_step(row),
            **{key: _quantity(cell) for key, cell in row.cells.items()},
        },
        "options": {},
        "stats": {**round_statistics(times), "data": times, "iterations": steps},
    }


def _per_step(row: Row) -> dict[str, dict[str, Any]]:
    """Return joules and grams of one step, under the names that `pytest --joulemark` uses for those of one call."""
    trial = next(trial for trial in row.case.ok_trials if trial.steps)
    items = trial.items / trial.steps
    energy, grams = row.cells["energy_per_item_j"], row.cells["emissions_g_per_1000_items"]
    return {"energy_j": _scaled(_quantity(energy), items), "emissions_g": _scaled(_quantity(grams), items / 1000)}


def _scaled(quantity: dict[str, Any], factor: float) -> dict[str, Any]:
    values = {key: quantity[key] for key in ("value", "low", "high")}
    return {**quantity, **{key: None if value is None else value * factor for key, value in values.items()}}


def _quantity(cell: Cell) -> dict[str, Any]:
    numbers = {name: getattr(cell, name) for name in ("value", "low", "high", "n", "kind")}
    return {**numbers, "lower_bound": AT_LEAST in cell.mark, "reason": cell.reason}


def round_statistics(times: Sequence[float]) -> dict[str, Any]:
    """Return the statistics that pytest-benchmark keeps of its rounds, by its own definitions."""
    data = sorted(times)
    mean, deviation = statistics.mean(data), statistics.stdev(data) if len(data) > 1 else 0
    q1, q3 = _quartile(data), -_quartile([-value for value in reversed(data)])
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    beyond_deviation = sum(value < mean - deviation or value > mean + deviation for value in data)
    beyond_fences = sum(value < low or value > high for value in data)
    return {
        "min": data[0],
        "max": data[-1],
        "mean": mean,
        "stddev": deviation,
        "rounds": len(data),
        "median": statistics.median(data),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond_fences,
        "stddev_outliers": beyond_deviation,
        "outliers": f"{beyond_deviation};{beyond_fences}",
        # The quartile of equal times may differ from them all in the last bit.
        "ld15iqr": data[min(bisect_left(data, low), len(data) - 1)],
        "hd15iqr": data[max(bisect_right(data, high) - 1, 0)],
        "ops": len(data) / sum(data),
        "total": sum(data),
    }


def _quartile(data: Sequence[float]) -> float:
    """Return the first quartile by Tukey's hinges without the median (method 3 of https://en.wikipedia.org/wiki/Quartile)."""
    quarter, remainder = divmod(len(data), 4)
    if len(data) == 1:
        return data[0]
    if remainder == 1:
        return 0.25 * data[quarter - 1] + 0.75 * data[quarter]
    if remainder == 3:
        return 0.75 * data[quarter] + 0.25 * data[quarter + 1]
    return statistics.median(data[: len(data) // 2])


def _machine(run_file: RunFile) -> dict[str, Any]:
    """Return the keys that pytest-benchmark fills itself, as far as a run file has them."""
    machine = run_file.machine
    system, _, release = machine.os.partition(" ")
    return {
        "node": machine.hostname,
        "machine": machine.cpu.architecture,
        "system": system,
        "release": release,
        "cpu": {"brand_raw": machine.cpu.model, "count": machine.cpu.logical_cores},
        "fingerprint": machine.fingerprint,
        "gpus": [gpu.name for gpu in machine.gpus],
        "frameworks": {name: info.version for name, info in machine.frameworks.items()},
    }
