"""What every record refuses: counts too large, numbers that are none, changes."""

from __future__ import annotations

import pytest
from edited_run_files import edited, refusal
from pydantic import ValidationError
from run_files import run_file


@pytest.mark.parametrize("path", ["cases.0.batch_size", "cases.0.threads", "run.rounds", "settings.threads"])
def test_count_must_fit_a_column_of_32_bits(path: str) -> None:
    line = refusal(edited(path, 99999999999999))
    assert f"at {path}:" in line
    assert "2147483647" in line


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_number_must_be_finite(number: str) -> None:
    line = refusal(edited("emissions.pue.value", 123456789).replace("123456789", number))
    assert "emissions.pue.value" in line or "valid" in line or "JSON" in line


def test_records_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        run_file().run.id = "other"
