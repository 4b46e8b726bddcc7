"""What fuzzers share: text and documents near valid ones, and what a refusal has to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest
from hypothesis import strategies as st

from joulemark import JoulemarkError

Result = TypeVar("Result")

ODD_TEXT = (
    "",
    "\0",
    "\n",
    "\r",
    "\u2028",
    "\ufeff",
    "\x1b[31m",
    "é" * 3,
    "x" * 5000,
    '"',
    "'",
    "[" * 3000,
    ";",
    ",",
    "=1+1",
)
ODD_NUMBERS = ("0", "-1", "1e999", "-0.0", "nan", "inf", "1_000", "0x10", "9" * 400, "1e-320", "٣", "١٢")
ODD_TIMES = (
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
    "2026-02-30T00:00Z",
    "2026-11-23",
    "1e300",
    "-62135596800",
)


def accepted(function: Callable[[], Result]) -> Result | None:
    """Return what `function` returns, or None where it refuses its input; the refusal must be one line, and no bug."""
    try:
        return function()
    except JoulemarkError as error:
        message = str(error)
        assert message.strip()
        if "\n" in message or "bug" in message.partition(", found")[0]:
            pytest.fail(f"a refusal of one line was expected: {message[:500]!r}")
        return None


def mutated(texts: Sequence[str], tokens: Sequence[str]) -> st.SearchStrategy[str]:
    """Return text near one of `texts`: pieces of it repeated, removed, or replaced by one of `tokens`."""
    token = st.sampled_from(tokens) | st.text(max_size=8)
    edit = st.tuples(st.integers(0, 10_000), st.integers(0, 40), token, st.integers(0, 3))

    @st.composite
    def make(draw: st.DrawFn) -> str:
        text = draw(st.sampled_from(texts))
        for at, length, piece, kind in draw(st.lists(edit, min_size=0, max_size=5)):
            begin = at % (len(text) + 1)
            end = min(len(text), begin + length)
            new = ("", piece, text[begin:end] * 2, piece + text[begin:end])[kind]
            text = text[:begin] + new + text[end:]
        return text

    return make()


def spliced(rows: st.SearchStrategy[str], header: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return the lines of a file: perhaps a header, and rows."""
    ends = st.sampled_from(["\n", "\r\n", "\r"])
    return st.builds(
        lambda first, lines, end: end.join([*first, *lines, ""]),
        st.lists(header, max_size=1),
        st.lists(rows, max_size=12),
        ends,
    )
