"""A notice as it stands in a run file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from joulemark.suite.notices import TEXTS, Code
from joulemark.suite.records.base import Record


class Notice(Record):
    """Something that could make the result mislead, with its consequence and remedy."""

    code: Code
    value: float | str | None
    """What was found."""
    threshold: float | None
    """What it was held against; None where there is no number."""
    message: str
    consequence: str
    remedy: str

    @classmethod
    def of(cls, code: Code, value: float | str | None = None, threshold: float | None = None) -> Notice:
        """The notice `code` with its texts filled in."""
        text = TEXTS[code]
        return cls(
            code=code,
            value=value,
            threshold=threshold,
            message=text.message.format(value=value, threshold=threshold),
            consequence=text.consequence,
            remedy=text.remedy,
        )


_TOO_LITTLE: Final = frozenset({Code.TOO_FEW_TRIALS, Code.TOO_SHORT_FOR_SENSOR, Code.NEAR_SENSOR_PERIOD})
"""Notices of which the smallest value is the worst; of all others the largest."""


def worst(notices: Iterable[Notice]) -> Notice:
    """Of notices of one code, that with the value farthest out; the first where values are words."""

    def farness(notice: Notice) -> float:
        if not isinstance(notice.value, float):
            return 0.0
        return -notice.value if notice.code in _TOO_LITTLE else abs(notice.value)

    return max(notices, key=farness)
