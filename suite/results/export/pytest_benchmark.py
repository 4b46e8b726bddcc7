"""pytest-benchmark's JSON, as `pytest-benchmark compare` and `pytest --benchmark-compare` read it.

A benchmark is a case; a round is a trial, and its time that of one step: the trial is the independent unit. A case
with one trial gives the blocks of its window instead, as a benchmark in one process would; `extra_info` says which.
pytest-benchmark's mean is the arithmetic one. The numbers of the table, geometric means with their intervals, kinds
and reasons, stand in `extra_info`.
"""

from __future__ import annotations

import json
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, Final

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.table import AT_LEAST, Cell, Row, table

VERSION: Final = "5.1.0"
"""The pytest-benchmark whose format this is."""
NODE: Final = "joulemark"
"""What case ids stand below, as in `pytest --joulemark-suite`."""


def render(run_file: RunFile) -> str:
    """The document. Cases without a number have no place in it and are listed under `joulemark`.

    UsageError where no case has one: pytest-benchmark cannot read an empty file.
    """
    rows = table(run_file).rows
    timed = [(row, _times(row.case)) for row in rows if row.status == "ok"]
    benchmarks = [_benchmark(row, *times) for row, times in timed if times[0]]
    if not benchmarks:
        raise UsageError(
            f"run {run_file.run.id} has no case with a number, and pytest-benchmark holds nothing else. "
            "Export it as junit, csv or markdown, which hold reasons."
        )
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


def _times(case: Case) -> tuple[list[float], int, str]:
    """Seconds of one step, round by round; the steps of a round; and what a round is."""
    trials = [trial for trial in case.trials if trial.status == "ok" and trial.steps and trial.window_length_s > 0]
    if len(trials) == 1 and trials[0].block_s and trials[0].steps_per_block:
        (only,) = trials
        return [block / only.steps_per_block for block in only.block_s], only.steps_per_block, "blocks of one trial"
    times = [trial.window_length_s / trial.steps for trial in trials]
    steps = round(statistics.median(trial.steps for trial in trials)) if trials else 0
    return times, steps, "trials"


def _benchmark(row: Row, times: list[float], steps: int, rounds_are: str) -> dict[str, Any]:
    case = row.case
    kind = case.workload_id
    axes = ("workload", "variant", "size", "phase", "framework", "mode", "device", "precision", "batch_size")
    return {
        # What may be set side by side is one group: pytest-benchmark shows a table for each.
        "group": f"{kind}:{case.size}/{case.phase}/{case.device}/{case.precision}/b{case.batch_size}",
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
        "stats": {**_stats(times), "data": times, "iterations": steps},
    }


def _per_step(row: Row) -> dict[str, dict[str, Any]]:
    """Joules and grams of one step, by the names that `pytest --joulemark` gives those of one call."""
    steady = next(trial for trial in row.case.trials if trial.status == "ok" and trial.steps)
    items = steady.items / steady.steps
    energy, grams = row.cells["energy_per_item_j"], row.cells["emissions_g_per_1000_items"]
    return {"energy_j": _scaled(_quantity(energy), items), "emissions_g": _scaled(_quantity(grams), items / 1000)}


def _scaled(quantity: dict[str, Any], factor: float) -> dict[str, Any]:
    ends = {key: quantity[key] for key in ("value", "low", "high")}
    return {**quantity, **{key: None if value is None else value * factor for key, value in ends.items()}}


def _quantity(cell: Cell) -> dict[str, Any]:
    """A number with all that it must carry; null with its reason where there is none."""
    return {
        "value": cell.value,
        "low": cell.low,
        "high": cell.high,
        "n": cell.n,
        "kind": cell.kind,
        "lower_bound": AT_LEAST in cell.mark,
        "reason": cell.reason,
    }


def _stats(times: Sequence[float]) -> dict[str, Any]:
    """The figures that pytest-benchmark itself keeps of its rounds, by its own definitions."""
    data = sorted(times)
    mean, spread = statistics.mean(data), statistics.stdev(data) if len(data) > 1 else 0
    q1, q3 = _quartile(data), -_quartile([-value for value in reversed(data)])
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    beyond_deviation = sum(value < mean - spread or value > mean + spread for value in data)
    beyond_fences = sum(value < low or value > high for value in data)
    return {
        "min": data[0],
        "max": data[-1],
        "mean": mean,
        "stddev": spread,
        "rounds": len(data),
        "median": statistics.median(data),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond_fences,
        "stddev_outliers": beyond_deviation,
        "outliers": f"{beyond_deviation};{beyond_fences}",
        # Of equal times, a quartile may miss them all by the last bit.
        "ld15iqr": data[min(bisect_left(data, low), len(data) - 1)],
        "hd15iqr": data[max(bisect_right(data, high) - 1, 0)],
        "ops": len(data) / sum(data),
        "total": sum(data),
    }


def _quartile(data: Sequence[float]) -> float:
    """The first quartile by Tukey's hinges without the median (method 3 of https://en.wikipedia.org/wiki/Quartile)."""
    quarter, rest = divmod(len(data), 4)
    if len(data) == 1:
        return data[0]
    if rest == 1:
        return 0.25 * data[quarter - 1] + 0.75 * data[quarter]
    if rest == 3:
        return 0.75 * data[quarter] + 0.25 * data[quarter + 1]
    return statistics.median(data[: len(data) // 2])


def _machine(run_file: RunFile) -> dict[str, Any]:
    """The keys that pytest-benchmark fills itself, as far as a run file knows them."""
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
