"""A notice as it stands in a run file."""

from __future__ import annotations

from suite.notices import TEXTS, Code
from suite.results.records.base import Record


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
