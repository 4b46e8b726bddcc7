"""`pytest --joulemark`: pytest-benchmark's own fixture, with a window of energy after its rounds.

The rounds that pytest-benchmark times are left as they are. Where it chooses how often to call a function, the call is
then repeated for as long as the sensors need; where the test says how often (`pedantic`), what it asks for is the
window. All is read by a helper process: here only a clock is looked at.
"""

from __future__ import annotations

import functools
import inspect
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture, PauseInstrumentation

import joulemark
from joulemark.pytest_plugin.cases import Case
from joulemark.pytest_plugin.limits import MARK, check, limits
from joulemark.pytest_plugin.percall import Outcome, needed_s, nothing, outcome

WINDOW_S = 1.0
"""The shortest window of a call that may be repeated."""
LONGEST_S = 30.0
LEAD_S = 0.3
"""The call goes on for so long before and after a window, so that both its borders lie in steady load."""
BLOCK_S = 0.02
"""Calls between two looks at the clock take about this long."""


class Energy:
    """The plugin: replaces the fixture by a measured one, holds limits against it, tells what was measured."""

    def __init__(self, config: pytest.Config) -> None:
        """Start sampling. UsageError where the options cannot be met."""
        self._allow_estimates = config.getoption("--joulemark-allow-estimates")
        self._outcomes: dict[str, Outcome] = {}
        try:
            self._meter = joulemark.Meter(
                "pytest", zone=config.getoption("--joulemark-zone"), sensor=config.getoption("--joulemark-sensor")
            )
            with warnings.catch_warnings():
                # Without any sampling each benchmark says so, as "not measured".
                warnings.simplefilter("ignore", RuntimeWarning)
                self._meter.start().stop()
        except joulemark.JoulemarkError as error:
            raise pytest.UsageError(f"joulemark: {error}") from None

    @pytest.fixture
    def benchmark(self, benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> BenchmarkFixture:
        """The same object, which other plugins know, as one of a class that also measures."""
        if not isinstance(request.node, Case):  # those were measured in processes of their own
            benchmark.__class__ = Measured
            benchmark.joulemark_note = functools.partial(self._note, request.node.nodeid)
            benchmark.joulemark_meter = self._meter
        return benchmark

    def _note(self, nodeid: str, found: Outcome) -> Mapping[str, Any]:
        self._outcomes[nodeid] = found
        return found.info

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Limits that cannot be understood are said before anything is run."""
        for item in items:
            limits(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """A test with limits that does not benchmark a call is one call itself."""
        alone = pyfuncitem.get_closest_marker(MARK) and "benchmark" not in pyfuncitem.fixturenames
        if not alone:
            return (yield)
        with self._meter:
            result = yield
        self._outcomes[pyfuncitem.nodeid] = outcome([self._meter.last], 1)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Holds the limits of a test that passed."""
        result = yield
        check(item, self._outcomes.get(item.nodeid), self._allow_estimates)
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What the joules are of, and why some are not there."""
        if not self._outcomes:
            return
        terminalreporter.section("joulemark")
        for line in dict.fromkeys(line for found in self._outcomes.values() for line in found.lines):
            terminalreporter.write_line(line)
        for nodeid, found in self._outcomes.items():
            if found.energy["value"] is None:
                terminalreporter.write_line(f"not measured: {nodeid}: {found.energy['reason']}")


class Measured(BenchmarkFixture):
    """pytest-benchmark's fixture; `joulemark_note` takes the outcome, `joulemark_meter` makes windows."""

    joulemark_note: Callable[[Outcome], Mapping[str, Any]]
    joulemark_meter: joulemark.Meter

    def __call__(self, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = super().__call__(function_to_benchmark, *args, **kwargs)
        if self.enabled:
            self._note(self._repeated, functools.partial(function_to_benchmark, *args, **kwargs))
        return result

    def pedantic(self, *args: Any, **kwargs: Any) -> Any:
        if self.disabled:
            return super().pedantic(*args, **kwargs)
        bound = inspect.signature(super().pedantic).bind(*args, **kwargs)
        bound.apply_defaults()
        asked = bound.arguments
        if self.cprofile:
            result = super().pedantic(**asked)
            self._note(nothing, "the profiler's calls are among those of the test (--benchmark-cprofile)")
        elif asked["setup"] or asked["teardown"]:
            # What is not the call's own stays outside: a window for each call.
            first = len(self.joulemark_meter.measurements)
            result = super().pedantic(**{**asked, "target": self.joulemark_meter(asked["target"])})
            windows = self.joulemark_meter.measurements[first:]
            self._note(outcome, windows, len(windows))
        else:
            with self.joulemark_meter as meter:
                result = super().pedantic(**asked)
            iterations = asked["iterations"]
            # Of a loop pytest-benchmark has no result, and calls once more for it.
            calls = iterations * (asked["rounds"] + asked["warmup_rounds"]) + (iterations > 1)
            self._note(outcome, [meter.last], calls)
        return result

    def _note(self, measure: Callable[..., Outcome], *args: Any) -> None:
        try:
            self.extra_info.update(self.joulemark_note(measure(*args)))
        except BaseException:
            self.has_error = True
            raise

    def _repeated(self, call: Callable[[], object]) -> Outcome:
        """Windows of repeated calls, until one is as long as its sensors need."""
        call_s = max(self.stats.stats.mean, 1e-9)
        block = max(1, round(BLOCK_S / call_s))
        # A call that is longer than the lead has been steady load itself, just now.
        lead_s = LEAD_S if call_s < LEAD_S else None
        length_s = WINDOW_S
        while True:
            with PauseInstrumentation():
                _calls(call, block, lead_s)
                with self.joulemark_meter as meter:
                    calls = _calls(call, block, length_s)
                _calls(call, block, lead_s)
            wanted_s = needed_s(meter.last)
            if meter.duration_s >= wanted_s or length_s >= LONGEST_S:
                return outcome([meter.last], calls)
            # A little more: the window ends with a block, the sensor's tick is known to a few digits.
            length_s = min(1.05 * wanted_s, LONGEST_S)


def _calls(call: Callable[[], object], block: int, length_s: float | None) -> int:
    """Call again and again for `length_s` seconds, in blocks, not at all for None; the number of calls."""
    if length_s is None:
        return 0
    calls = 0
    end_s = time.monotonic() + length_s
    while True:
        for _ in range(block):
            call()
        calls += block
        if time.monotonic() >= end_s:
            return calls
