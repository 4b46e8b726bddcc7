"""`--over KEY=RANGE`: the values that a sweep tries.

`power-limit=300:700:50` goes from 300 to 700 in steps of 50, `batch-size=1:512:x2` doubles from 1 to at most 512,
`threads=1:4` goes from 1 to 4 one by one, `mode=eager,compile` is a list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import SWEPT_FIELDS, SweepKey

NAMED: Final = ("precision", "mode")
"""Keys whose values are names."""
MAX_VALUES: Final = 64
"""Of one key; more are a mistaken step: they would take days."""
MAX_NUMBER: Final = 10**9
_RANGE: Final = re.compile(r"(?P<first>\d{1,10}):(?P<last>\d{1,10})(:(?P<factor>x?)(?P<step>\d{1,10}))?", re.ASCII)
_HINT: Final = "Give FIRST:LAST:STEP, FIRST:LAST:xFACTOR or A,B,C, such as 300:700:50, 1:512:x2 or 1,2,8"
Values = tuple[int | str, ...]


def parse_over(options: Iterable[str]) -> dict[SweepKey, Values]:
    """Return the values of each key. Raises UsageError for an unknown key, and for what is no range of values."""
    over: dict[SweepKey, Values] = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals:
            raise UsageError(f"--over {option!r}: give KEY=RANGE, such as power-limit=300:700:50 or threads=1,2,4.")
        key = next((key for key in SWEPT_FIELDS if key == name.strip()), None)
        if key is None:
            raise unknown("key in --over", name, SWEPT_FIELDS)
        if key in over:
            raise UsageError(f"--over {key} is given twice: give all its values at once, as {key}=A,B,C.")
        over[key] = _names(key, text) if key in NAMED else _numbers(key, text)
    return over


def _names(key: SweepKey, text: str) -> Values:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if "" in names:
        raise UsageError(f"--over {key}={text}: one of the names is empty. Give names, such as {key}=A,B.")
    return names


def _numbers(key: SweepKey, text: str) -> Values:
    """Return the numbers of a range or a list, in its order and each once."""
    if match := _RANGE.fullmatch(text.strip()):
        first, last, step = (int(match[name] or 1) for name in ("first", "last", "step"))
        numbers = _geometric(first, last, step) if match["factor"] else _arithmetic(first, last, step)
        if not numbers:
            raise UsageError(f"--over {key}={text}: {_emptiness(first, last, step, bool(match['factor']))}.")
    else:
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isascii() and part.isdecimal() for part in parts):
            raise UsageError(f"--over {key}={text}: it is no range of whole numbers. {_HINT}.")
        numbers = [int(part[:12]) for part in dict.fromkeys(parts)]
    if not all(1 <= number <= MAX_NUMBER for number in numbers):
        raise UsageError(f"--over {key}={text}: values are from 1 to {MAX_NUMBER:,}.")
    if len(numbers) > MAX_VALUES:
        raise UsageError(f"--over {key}={text}: these are more than {MAX_VALUES} values. Give a larger step.")
    return tuple(dict.fromkeys(numbers))


def _arithmetic(first: int, last: int, step: int) -> list[int]:
    """Return the numbers, and one more than allowed at most; none for a step of 0."""
    return list(range(first, last + 1, step)[: MAX_VALUES + 1]) if step else []


def _geometric(first: int, last: int, factor: int) -> list[int]:
    numbers: list[int] = []
    while factor > 1 and 0 < first <= last:
        numbers.append(first)
        first *= factor
    return numbers


def _emptiness(first: int, last: int, step: int, factor: bool) -> str:
    """Return why a range has no values."""
    if step < (2 if factor else 1):
        return f"the {'factor' if factor else 'step'} is {step}; it is {2 if factor else 1} or more"
    if factor and first == 0:
        return "it begins at 0, which no factor changes"
    return f"the range is empty, since {first} is above {last}"


def parse_slowdown(text: str) -> float:
    """Return the share in `5%`, or in a number below 1. Raises UsageError for anything else."""
    try:
        share = float(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 <= share < 1:
        raise UsageError(f"--slowdown got {text!r}: give a percentage from 0% to below 100%, such as 5%.")
    return share
