"""Two profiles of Hypothesis for the fuzzers: `ci`, a minute in all, and `long`.

`ci` tries the same examples each time, so that what fails is the change. `tox -e fuzz` runs `long`, which tries others,
for about an hour on two cores.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=60, suppress_health_check=SLOW)
settings.register_profile(
    "long", deadline=None, derandomize=False, max_examples=20_000, print_blob=True, suppress_health_check=SLOW
)


@contextmanager
def profile(config: pytest.Config) -> Iterator[None]:
    """Use the profile of these tests for those that are defined meanwhile; others keep theirs."""
    before = settings.get_current_profile_name()
    settings.load_profile(config.getoption("--hypothesis-profile") or "ci")
    try:
        yield
    finally:
        settings.load_profile(before)


def pytest_configure(config: pytest.Config) -> None:
    """Let Hypothesis print whole run files: a warning about their length would hide what failed."""
    config.addinivalue_line("filterwarnings", "ignore:Generating overly large repr")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, object, object]:
    """Define the properties of a module."""
    with profile(collector.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Define the properties in a test."""
    with profile(item.config):
        return (yield)
