"""What every record is: frozen, typed, strict about its fields, and free of NaN."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, Strict

MOST: Final = 2**31 - 1
"""The largest count: what a column of 32 bits holds, in which other programs keep it."""

Count = Annotated[int, Strict(), Field(ge=0, le=MOST)]
"""A number of things, or of a round; neither `true` nor `2.0` is one."""

PositiveCount = Annotated[Count, Field(ge=1)]

Real = Annotated[float, Strict()]
"""A number; `true` is none."""


class Record(BaseModel):
    """A frozen piece of a run file. A field that may be None says when."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)
