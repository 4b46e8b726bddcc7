"""The base of all records: frozen, typed, strict about their fields, and without NaN."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, Strict

MAX_COUNT: Final = 2**31 - 1
"""The largest count that fits a 32-bit column, which is what other programs store it in."""

Count = Annotated[int, Strict(), Field(ge=0, le=MAX_COUNT)]
"""A number of things, or of a round; `true` and `2.0` are refused."""

PositiveCount = Annotated[Count, Field(ge=1)]

Real = Annotated[float, Strict()]
"""A number; `true` is refused."""


class Record(BaseModel):
    """A frozen part of a run file. The docstring of a field says its unit and when it is None."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
