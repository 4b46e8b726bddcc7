"""A sweep's findings as text, which terminal, page and `--json` share. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from joulemark.suite.records import SweepKey
from joulemark.suite.stats.sweep.analysis import Choice, Goal, Ratio, TaskSweep
from joulemark.suite.stats.sweep.points import Point
from joulemark.suite.units import significant

_FORMS: Final[Mapping[SweepKey, str]] = {
    "power-limit": "{:,} W",
    "clock": "{:,} MHz",
    "batch-size": "batch {:,}",
    "threads": "{:,} threads",
}
_SHORT: Final[Mapping[Goal, str]] = {
    "joules": "joules",
    "node_joules": "joules of the machine",
    "delay_product": "energy-delay product",
    "speed": "speed",
}
LARGEST: Final = 900
"""Percent: of two rounds that vary much, an end beyond this is not worth a number."""
CLOCK_STEP_MHZ: Final = 15.0
"""Clocks of NVIDIA's GPUs come in steps of 15 MHz and less (nvidia-smi -q -d SUPPORTED_CLOCKS)."""
_UNLOCKED: Final = "clock not locked"


def settings_text(point: Point) -> str:
    """Return the settings of a point: `450 W, batch 64`."""
    return ", ".join(value_text(key, value) for key, value in point.settings.items())


def value_text(key: SweepKey, value: int | str | None) -> str:
    """Return one setting: `450 W`, `batch 64`, `1 thread`, `bf16`."""
    if value is None:
        return _UNLOCKED
    if key == "threads" and value == 1:
        return "1 thread"
    return _FORMS.get(key, "{}").format(value)


def goal_text(goal: Goal, slowdown: float, estimated: bool = False) -> str:
    """Return what a goal asks for: `least joules at 5 % slow-down at most`."""
    if goal == "speed":
        return "highest speed"
    if goal == "delay_product":
        return f"least energy-delay product{' of estimated joules' if estimated else ''}"
    return f"least {_joules(goal, estimated)} at {100 * slowdown:g} % slow-down at most"


def _joules(goal: Goal, estimated: bool) -> str:
    return f"{'estimated ' if estimated else ''}joules{' of the whole machine' if goal == 'node_joules' else ''}"


def choice_sentences(sweep: TaskSweep, slowdown: float, goals: Sequence[str] | None = None) -> list[str]:
    """Return for each goal the best setting, those that cannot be told apart from it, and what it gains."""
    lines = []
    for goal, choice in sweep.choices.items():
        if goals is not None and goal not in goals:
            continue
        others = [settings_text(point) for point in choice.candidates if point.case.id != choice.best.case.id]
        apart = f", not told apart from {'; '.join(others)}{_excess_text(choice)}" if others else ""
        lines.append(f"{goal_text(goal, slowdown, choice.is_estimated)}: {settings_text(choice.best)}{apart}")
        if (sentence := f"  {gain_sentence(choice)}").strip() and sentence not in lines:
            lines.append(sentence)
    return lines


def _excess_text(choice: Choice) -> str:
    """Return how far the chosen setting is from the true best one at most; empty where that says nothing."""
    if not choice.excess or 100 * choice.excess > LARGEST:
        return ""
    least = "slower than the true fastest" if choice.goal == "speed" else "above the true least"
    return f" (at most {significant(100 * choice.excess, 2)} % {least})"


def goal_marks(point: Point, sweep: TaskSweep) -> list[str]:
    """Return the goals by which a point is the best, or may be."""
    best = [_SHORT[goal] for goal, choice in sweep.choices.items() if choice.best.case.id == point.case.id]
    perhaps = [_SHORT[goal] for goal, choice in sweep.choices.items() if point in choice.candidates]
    perhaps = [goal for goal in perhaps if goal not in best]
    marks = [f"best by {' and '.join(best)}"] if best else []
    return marks + ([f"perhaps best by {' and '.join(perhaps)}"] if perhaps else [])


def gain_sentence(choice: Choice) -> str:
    """Return what the best setting gains: `at 450 W: 19 % [17, 21] fewer joules for 4 % [3, 5] less speed`.

    Empty where it was not measured against the default.
    """
    if choice.best.is_default:
        word = "fastest" if choice.goal == "speed" else "best"
        by = ", by estimated joules" if choice.is_estimated else ""
        return f"the default, {settings_text(choice.best)}, is the {word} that was found{by}"
    if choice.gain is None:
        return ""
    speed = _change(choice.gain.speed, "less speed", "more speed", "speed")
    if choice.gain.energy is None:
        return f"at {settings_text(choice.best)}: {speed}"
    noun = _joules(choice.goal, choice.is_estimated)
    energy = _change(choice.gain.energy, f"fewer {noun}", f"more {noun}", noun)
    return f"at {settings_text(choice.best)}: {energy} for {speed}"


def _change(ratio: Ratio, less: str, more: str, noun: str) -> str:
    """Return a change as a size with its direction or, where its interval has both signs, as a range."""
    size = 100 * (ratio.value - 1)
    if ratio.low is None or ratio.high is None:
        return f"{abs(size):.1f} % {less if size < 0 else more} (one round, no interval)"
    low, high = 100 * (ratio.low - 1), 100 * (ratio.high - 1)
    digits = 0 if high - low >= 2 else 1
    if low <= 0 <= high:
        end = f"{high:+.{digits}f}" if high <= LARGEST else f"over +{LARGEST}"
        return f"no change of {noun} that can be told ([{low:+.{digits}f}, {end}] %)"
    near, far = sorted((abs(low), abs(high)))
    end = f"{far:.{digits}f}" if far <= LARGEST else f"over {LARGEST}"
    return f"{abs(size):.{digits}f} % [{near:.{digits}f}, {end}] {less if size < 0 else more}"


def plateau_sentence(sweep: TaskSweep) -> str:
    """Return which limits and clocks were not reached; empty where all were, or nothing shows it."""
    free = [settings_text(point) for point in sweep.points if point.limit_binds is False]
    missed = [
        f"{settings_text(point)} ({point.shown_clock_mhz:,.0f} MHz)"
        for point in sweep.points
        if point.shown_clock_mhz is not None
        and abs(point.shown_clock_mhz - (point.case.clock_mhz or 0)) > CLOCK_STEP_MHZ
    ]
    sentences = [f"the power limit does not bind at {'; '.join(free)}: the load draws less"] if free else []
    sentences += [f"the clock was another at {'; '.join(missed)}"] if missed else []
    return "; ".join(sentences)


def host_sentence(sweep: TaskSweep) -> str:
    """Return what is known of the rest of the machine, whose power runs for longer at a slower setting."""
    if sweep.host is not None:
        return f"whole machine: {sweep.host}"
    return (
        "the power of the rest of the machine is not known: slower settings pay for it longer, so these joules alone "
        "favour too slow ones; --host-watts W shows the optimum of the whole machine"
    )
