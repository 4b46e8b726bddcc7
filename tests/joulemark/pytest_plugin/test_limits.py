"""`@pytest.mark.joulemark(max_energy_j=...)`: limits are kept, exceeded, or cannot be checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from scratch_project import CONSTANT, pytest_in

from joulemark.pytest_plugin.limits import limit_failure, marker_arguments

pytestmark = pytest.mark.slow

LIMITS = """
import time

import pytest


@pytest.mark.joulemark(max_energy_j=1000, allow_lower_bound=True)
def test_within(benchmark):
    benchmark(time.sleep, 0.001)


@pytest.mark.joulemark(max_energy_j=1e-9, allow_lower_bound=True)
def test_above(benchmark):
    benchmark(time.sleep, 0.001)


@pytest.mark.joulemark(max_emissions_g=1e-15, allow_lower_bound=True)
def test_grams(benchmark):
    benchmark(time.sleep, 0.001)


@pytest.mark.joulemark(max_energy_j=1000)
def test_lower_bound(benchmark):
    benchmark(time.sleep, 0.001)


@pytest.mark.joulemark(max_energy_j=1e6, allow_lower_bound=True)
def test_body():
    time.sleep(1.0)


@pytest.mark.joulemark(max_energy_j=1e6, allow_lower_bound=True)
def test_short_body():
    pass


@pytest.mark.joulemark(max_energy_j=1e6, allow_lower_bound=True)
def test_setup_between(benchmark):
    benchmark.pedantic(len, setup=lambda: (("abc",), {}), rounds=10)


@pytest.mark.joulemark(max_energy_j=1e6, allow_lower_bound=True)
def test_fixed_rounds(benchmark):
    benchmark.pedantic(time.sleep, (0.1,), rounds=10)
"""


def test_limits_are_kept_exceeded_or_not_measurable(project: Path) -> None:
    (project / "test_limits.py").write_text(LIMITS)
    options = ("--joulemark", f"--joulemark-sensor={CONSTANT}", "--junitxml=out.xml", "test_limits.py")
    done = pytest_in(project, *options, "--strict-markers")
    assert done.returncode == 1, done.stdout + done.stderr
    failures = {
        test.get("name"): (failure.text or "" if (failure := test.find("failure")) is not None else None)
        for test in ElementTree.parse(project / "out.xml").iter("testcase")
    }
    passed = {name for name, text in failures.items() if text is None}
    assert passed == {"test_within", "test_body", "test_fixed_rounds"}
    assert "max_energy_j=1e-09: a call takes " in failures["test_above"]
    assert "max_emissions_g=1e-15: a call takes " in failures["test_grams"]
    assert "not measurable: a call takes at least " in failures["test_lower_bound"]
    assert "allow_lower_bound=True" in failures["test_lower_bound"]
    assert "not measurable: below resolution: the window is" in failures["test_short_body"]
    assert "not measurable: below resolution: each call, between which setup" in failures["test_setup_between"]
    assert "Traceback" not in done.stdout


def test_without_the_option_limits_are_not_checked(project: Path) -> None:
    (project / "test_limits.py").write_text(LIMITS)
    done = pytest_in(project, "-W", "error", "--strict-markers", "test_limits.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rank_that_does_not_measure_checks_no_limits(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first rank on the node does, for both."""
    (project / "test_limits.py").write_text(LIMITS)
    options = ("--joulemark", f"--joulemark-sensor={CONSTANT}", "test_limits.py", "-k", "test_above or test_short_body")
    for name, value in {"LOCAL_RANK": "1", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    done = pytest_in(project, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "counted by the first rank of this node" in done.stdout


ESTIMATES = """
import time

import pytest


@pytest.mark.joulemark(max_energy_j=1e6)
def test_refused(benchmark):
    benchmark(time.sleep, 0.01)


@pytest.mark.joulemark(max_energy_j=1e6, allow_estimates=True)
def test_allowed(benchmark):
    benchmark(time.sleep, 0.01)
"""


def test_an_estimate_fails_unless_allowed(project: Path) -> None:
    (project / "test_limits.py").write_text(ESTIMATES)
    done = pytest_in(project, "--joulemark", "--joulemark-sensor=codecarbon", "test_limits.py", "-rA")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "allow_estimates=True" in done.stdout
    assert "PASSED test_limits.py::test_allowed" in done.stdout
    assert "~" in next(line for line in done.stdout.splitlines() if line.startswith("test_allowed "))


def quantity(value: float | None, kind: str = "counter", lower_bound: bool = False) -> dict[str, Any]:
    """An amount of one call, as the plugin keeps it."""
    reason = None if value is not None and not lower_bound else "dram: not readable"
    return {"value": value, "low": None, "high": None, "kind": kind, "lower_bound": lower_bound, "reason": reason}


@pytest.mark.parametrize(
    ("amount", "estimates", "bounds", "words"),
    [
        (quantity(1.9), False, False, None),
        (quantity(2.0), False, False, None),
        (quantity(2.1), False, False, "a call takes 2.1 J"),
        (quantity(None, "unavailable"), True, True, "not measurable: dram: not readable"),
        (None, True, True, "not measurable: nothing was benchmarked"),
        (quantity(1.9, "model"), False, False, "not measurable: about 1.9 J a call is an estimate"),
        (quantity(1.9, "model"), True, False, None),
        (quantity(2.1, "model"), True, False, "a call takes 2.1 J"),
        (quantity(1.9, lower_bound=True), False, False, "not measurable: a call takes at least 1.9 J"),
        (quantity(1.9, lower_bound=True), False, True, None),
        (quantity(2.1, lower_bound=True), False, False, "a call takes 2.1 J"),
    ],
)
def test_a_limit_of_2_joules(amount: dict[str, Any] | None, estimates: bool, bounds: bool, words: str | None) -> None:
    failure = limit_failure(2.0, amount, "J", estimates, bounds)
    assert failure is None if words is None else failure is not None and failure.startswith(words)


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("max_energy=2", "no 'max_energy'"),
        ("2", "Write max_energy_j=2"),
        ("max_energy_j='2'", "above 0"),
        ("max_energy_j=0", "above 0"),
        ("allow_estimates=True", "sets no limit"),
        ("max_energy_j=2, allow_estimates='yes'", "True or False"),
    ],
)
def test_invalid_arguments_are_rejected_before_anything_runs(marker: str, words: str) -> None:
    class Node:
        nodeid = "test_a.py::test_a"

        def get_closest_marker(self, name: str) -> pytest.Mark:
            assert name == "joulemark"
            mark: pytest.Mark = eval(f"pytest.mark.joulemark({marker})", {"pytest": pytest}).mark
            return mark

    with pytest.raises(pytest.UsageError, match=words):
        marker_arguments(Node())  # type: ignore[arg-type]
