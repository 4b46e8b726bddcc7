"""Properties of cases and trials, which stay out of the run file."""

from __future__ import annotations

from typing import Any

import pytest
from run_files import case, failed_trial, trial

from joulemark.suite.records import schema


@pytest.mark.parametrize(("variant", "expected"), [(None, "seq2seq"), ("local", "seq2seq.local")])
def test_workload_id(variant: str | None, expected: str) -> None:
    assert case("seq2seq", variant=variant).workload_id == expected


@pytest.mark.parametrize(("window_s", "expected"), [((3.0, 5.5), 2.5), (None, 0.0)])
def test_window_length(window_s: tuple[float, float] | None, expected: float) -> None:
    assert trial().model_copy(update={"window_s": window_s}).window_length_s == expected


@pytest.mark.parametrize(
    "change", [{"status": "failed"}, {"window_s": None}, {"window_s": (3.0, 3.0)}, {"items": 0}, {"steps": 0}]
)
def test_trial_without_a_rate_is_not_usable(change: dict[str, Any]) -> None:
    assert trial().is_usable
    assert not trial().model_copy(update=change).is_usable
    assert not failed_trial().is_usable


def test_properties_are_not_serialised() -> None:
    definitions = schema()["$defs"]
    assert not {"window_length_s", "is_usable"} & definitions["Trial"]["properties"].keys()
    assert "workload_id" not in definitions["Case"]["properties"]
    assert "workload_id" not in case().model_dump()
    assert "window_length_s" not in trial().model_dump()
