"""Notices: every code has its three sentences, and the worst of several is found."""

from __future__ import annotations

import pytest

from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, worst


@pytest.mark.parametrize("code", list(Code))
def test_notice_has_three_sentences(code: Code) -> None:
    value = 0.5 if "{value:" in code.message else "something"
    notice = Notice.of(code, value, 0.1)
    for sentence in (notice.message, notice.consequence, notice.remedy):
        assert sentence.strip()
        assert "{" not in sentence
        assert "None" not in sentence


@pytest.mark.parametrize(
    ("code", "values", "expected"),
    [
        (Code.HIGH_VARIANCE, (0.2, 0.4, 0.3), 0.4),
        (Code.SENSORS_DISAGREE, (0.1, -0.4, 0.3), -0.4),
        (Code.TOO_SHORT_FOR_SENSOR, (9.0, 3.0, 5.0), 3.0),
        (Code.GPU_IDLE, (0.5, 0.1, 0.7), 0.1),
        (Code.BOARD_SHARED, ("first", "second"), "first"),
    ],
)
def test_worst_notice(code: Code, values: tuple[float | str, ...], expected: float | str) -> None:
    assert worst([Notice.of(code, value, 0.1) for value in values]).value == expected
