"""Indices in words, and as plain data. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from joulemark.suite.stats.machines.index import Index
from joulemark.suite.units import counted, significant

SMALL: Final = 0.1
"""Below it a ratio is written as a fraction."""
Grouped = tuple[Index, Index]
"""Speed and items per joule over one basket in one mode."""


def grouped(found: Sequence[Index]) -> tuple[Grouped, ...]:
    """Return indices in twos, as `index.indices` makes them."""
    return tuple(zip(found[::2], found[1::2], strict=True))


def sentences(pairs: Sequence[Grouped], title: str, name: Callable[[str], str]) -> list[str]:
    """Return the indices against the machine called `title`, a sentence for each basket and framework.

    `name` returns that of a framework for people. Frameworks without an index for the same reason share a sentence.
    """
    systems: dict[tuple[object, ...], list[str]] = {}
    first: dict[tuple[object, ...], Grouped] = {}
    for pair in pairs:
        speed, efficiency = pair
        without = (speed.value, efficiency.value) == (None, None)
        key = (speed.basket.name, speed.reason, efficiency.reason) + (() if without else (speed.framework, speed.mode))
        systems.setdefault(key, []).append(f"{name(speed.framework)} {speed.mode}")
        first.setdefault(key, pair)
    return [_sentence(first[key], title, " and ".join(names)) for key, names in systems.items()]


def _sentence(pair: Grouped, title: str, system: str) -> str:
    speed, efficiency = pair
    basket = f"over {counted(len(speed.basket.tasks), 'task')} ({speed.basket.size}, {speed.basket.precision})"
    texts = [
        text
        for index, text in (
            (speed, f"{number(speed)} times as fast"),
            (
                efficiency,
                f"{number(efficiency)} times the items per joule{' of the board' * (efficiency.scope == 'gpu')}",
            ),
        )
        if index.value is not None
    ]
    if not texts:
        reasons = dict.fromkeys(index.reason for index in pair)
        return f"Against {title}, {system}: no index {basket}: {'; '.join(reasons)}."
    reasons = dict.fromkeys(reason(index) for index in pair if index.reason)
    joined = f"Against {title}, {system}: {' and '.join(texts)}, the geometric mean {basket}"
    return f"{joined} ({'; '.join(reasons)})." if reasons else f"{joined}."


def reason(index: Index) -> str:
    """Return why there is no value or no interval, with what it is of; empty for nothing."""
    return index.reason if index.value is not None else f"no index of {index.quantity}: {index.reason}"


def number(index: Index) -> str:
    """Return `1.25 [1.10, 1.42]`, or `1/49.3 [1/64, 1/37.9]` far below 1; without an interval the value alone."""
    if index.value is None:
        return "none"
    write = _fraction if index.value < SMALL else significant
    ends = "" if index.low is None or index.high is None else f" [{write(index.low)}, {write(index.high)}]"
    return f"{write(index.value)}{ends}"


def _fraction(value: float) -> str:
    return f"1/{significant(1 / value)}"


def document(index: Index) -> dict[str, Any]:
    """Return an index with its parts as plain data."""
    return {
        "basket": index.basket.name,
        "tasks": [f"{workload} {phase}" for workload, phase in index.basket.tasks],
        "framework": index.framework,
        "mode": index.mode,
        "quantity": index.quantity,
        "value": index.value,
        "low": index.low,
        "high": index.high,
        "reason": index.reason or None,
        "scope": index.scope or None,
        "versions": {"reference": index.versions[0], "run": index.versions[1]},
        "parts": [
            {"task": " ".join(part.task), "case": part.case, "reference_case": part.reference_case}
            | {"ratio": part.ratio, "note": part.note or None}
            for part in index.parts
        ],
    }
