"""Notices as they stand in a run file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from joulemark.suite.notices import Code
from joulemark.suite.records.base import Number, Record


class Notice(Record):
    """Something that can make the result misleading, with its consequence and remedy."""

    code: Code
    value: Number | str | None
    """What was found."""
    threshold: Number | None
    """What it was compared with; None if there is no number."""
    message: str
    consequence: str
    remedy: str

    @classmethod
    def of(cls, code: Code, value: float | str | None = None, threshold: float | None = None) -> Notice:
        """Return the notice `code` with its texts filled in."""
        return cls(
            code=code,
            value=value,
            threshold=threshold,
            message=code.message.format(value=value, threshold=threshold),
            consequence=code.consequence,
            remedy=code.remedy,
        )


_WORST_IS_SMALLEST: Final = frozenset(
    {Code.TOO_FEW_TRIALS, Code.TOO_SHORT_FOR_SENSOR, Code.NEAR_SENSOR_PERIOD, Code.LAUNCH_BOUND, Code.GPU_IDLE}
)
"""Notices whose smallest value is the worst; for all others it is the largest."""


def worst(notices: Iterable[Notice]) -> Notice:
    """Return the one of `notices`, all of one code, with the worst value; the first if the values are text."""

    def severity(notice: Notice) -> float:
        if not isinstance(notice.value, float):
            return 0.0
        return -notice.value if notice.code in _WORST_IS_SMALLEST else abs(notice.value)

    return max(notices, key=severity)
