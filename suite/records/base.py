"""The base of all records: frozen, typed, without NaN, and with limits to every number and text.

The limits are far beyond anything measured and within what can be computed with: no sum, ratio or interval of numbers
inside them leaves the range of a double. They are part of the JSON Schema.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

MAX_COUNT: Final = 2**31 - 1
"""The largest count that fits a 32-bit column, which is what other programs store it in."""

MAX_TEXT: Final = 2**17
"""Characters of a text: Linux allows that many bytes of one argument or environment variable (MAX_ARG_STRLEN)."""

MAX_TIME_S: Final = 1e9
"""Thirty years, seconds."""

Count = Annotated[int, Strict(), Field(ge=0, le=MAX_COUNT)]
"""A number of things, or of a round; `true` and `2.0` are refused."""

PositiveCount = Annotated[Count, Field(ge=1)]

Size = Annotated[int, Field(ge=0, le=2**53)]
"""A number of bytes, items, steps or parameters: each is a double too."""

Number = Annotated[float, Field(ge=-1e100, le=1e100)]
"""A number of any kind, such as an output of a model."""

Real = Annotated[Number, Strict()]
"""A number of the settings; `true` is refused."""

Amount = Annotated[float, Field(ge=0, le=1e30)]
"""A number of operations, bytes, joules, megahertz or grams."""

Value = Annotated[float, Field(ge=0, le=1e306)]
"""An end of an interval: of two trials that differ much, or of a window far shorter than a sensor's period, it may lie
anywhere."""

Watts = Annotated[float, Field(ge=0, le=1e12)]

Factor = Annotated[float, Field(ge=1e-6, le=1e6)]
"""A ratio of two numbers of one kind."""

Share = Annotated[float, Field(ge=0, le=1)]

Seconds = Annotated[float, Field(ge=0, le=MAX_TIME_S)]
"""A duration."""

PositiveSeconds = Annotated[float, Field(ge=1e-12, le=MAX_TIME_S)]
"""A duration that ratios are made of."""

Period = Annotated[float, Field(ge=0, le=86_400)]
"""An update period, or a time that a sensor averages over, seconds."""

Time = Annotated[float, Field(ge=-MAX_TIME_S, le=MAX_TIME_S)]
"""Seconds since the start of the run."""

Pair = tuple[float, float]


def _ordered(pair: Pair) -> Pair:
    if pair[1] < pair[0]:
        raise ValueError("the second is less than the first")
    return pair


Window = Annotated[tuple[Time, Time], AfterValidator(_ordered)]
"""Begin and end, seconds since the start of the run."""

Limits = Annotated[tuple[Value, Value], AfterValidator(_ordered)]
"""Factors by which a value may be off: the lowest and the highest."""

Gain = Annotated[tuple[Factor, Factor], AfterValidator(_ordered)]
"""The lowest and the highest of true over reported energy."""


class Record(BaseModel):
    """A frozen part of a run file. The docstring of a field says its unit and when it is None."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        str_max_length=MAX_TEXT,
        defer_build=True,  # until its first use: most processes use a few of them
    )
