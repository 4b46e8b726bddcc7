"""The two profiles: one repeats itself, and the other does not."""

from __future__ import annotations

from hypothesis import settings


def test_long_tries_other_examples_each_time() -> None:
    assert settings.get_profile("ci").derandomize
    assert not settings.get_profile("long").derandomize
