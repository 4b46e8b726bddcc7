"""What a sweep found as plain data: what `sweep --json` prints. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.suite.stats.intervals import GeometricMean
from joulemark.suite.stats.sweep.analysis import Choice, Gain, Ratio, TaskSweep
from joulemark.suite.stats.sweep.points import Point
from joulemark.suite.stats.sweep.sentences import gain_sentence, goal_text, host_sentence, plateau_sentence


def sweep_document(found: Sequence[TaskSweep], slowdown: float) -> dict[str, Any]:
    """Return all points, what was found for each task, and the knee: null where there are several tasks."""
    tasks = [_task(sweep, slowdown) for sweep in found]
    return {
        "points": [_point(point, sweep) for sweep in found for point in sweep.points],
        "knee": tasks[0]["best"].get("delay_product") if len(tasks) == 1 else None,
        "tasks": tasks,
    }


def _point(point: Point, sweep: TaskSweep) -> dict[str, Any]:
    return {
        "task": sweep.task,
        "case": point.case.id,
        "settings": dict(point.settings),
        "default": point.is_default,
        "throughput": _quantity(point.speed, f"{point.case.item}s/s"),
        "energy_per_item_j": _quantity(point.energy_j, "J"),
        "energy_estimated": point.is_estimated,
        "node_energy_per_item_j": _quantity(point.node_energy_j, "J"),
        "pareto": point.case.id in sweep.front,
        "beaten": point.case.id in sweep.beaten,
        "limit_binds": point.limit_binds,
    }


def _quantity(mean: GeometricMean | None, unit: str) -> dict[str, Any] | None:
    if mean is None:
        return None
    return {"value": mean.value, "low": mean.low, "high": mean.high, "unit": unit, "n": mean.n}


def _task(sweep: TaskSweep, slowdown: float) -> dict[str, Any]:
    return {
        "task": sweep.task,
        "slowdown": slowdown,
        "best": {goal: _choice(choice, slowdown) for goal, choice in sweep.choices.items()},
        "plateau": plateau_sentence(sweep) or None,
        "host": host_sentence(sweep),
        "reasons": [*([sweep.unranked] if sweep.unranked else []), *sweep.reasons],
    }


def _choice(choice: Choice, slowdown: float) -> dict[str, Any]:
    return {
        "goal": goal_text(choice.goal, slowdown, choice.is_estimated),
        "settings": dict(choice.best.settings),
        "case": choice.best.case.id,
        "default": choice.best.is_default,
        "set": [dict(point.settings) for point in choice.candidates],
        "excess_at_most": choice.excess,
        "gain": _gain(choice.gain),
        "sentence": gain_sentence(choice) or None,
    }


def _gain(gain: Gain | None) -> dict[str, Any] | None:
    if gain is None:
        return None
    energy = _ratio(gain.energy) if gain.energy is not None else None
    return {"energy_ratio": energy, "speed_ratio": _ratio(gain.speed), "rounds": gain.rounds}


def _ratio(ratio: Ratio) -> dict[str, float | None]:
    return {"value": ratio.value, "low": ratio.low, "high": ratio.high}
