"""Energy readings say why they have no value, and traces have one value for each time."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError
from run_files import energy, trace

from joulemark.suite.records import EnergyReading, Trace


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"energy_j": None}, "null without a reason"),
        ({"energy_j": None, "reason": "gone"}, "kind is counter"),
        ({"kind": "unavailable"}, "kind is unavailable"),
        ({"energy_j": math.nan}, "finite"),
    ],
)
def test_missing_energy_has_a_reason_and_a_kind(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        EnergyReading.model_validate({**energy().model_dump(), **change})


def test_channel_has_one_value_for_each_time() -> None:
    document = trace(1.0).model_dump()
    document["t_s"] = document["t_s"][:-1]
    with pytest.raises(ValidationError, match="11 values for 10 times"):
        Trace.model_validate(document)
