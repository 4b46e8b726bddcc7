"""`pytest --joulemark`: pytest-benchmark's fixture, followed by a window that energy is measured in.

The rounds that pytest-benchmark times stay as they are. Where it chooses how often to call a function, the call is
then repeated for as long as the sensors need; where the test chooses (`pedantic`), its own rounds are the window. The
sensors are read by the meter process.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture, PauseInstrumentation

import joulemark
from joulemark.pytest_plugin.call_energy import CallEnergy, call_energy, required_length_s, unmeasured
from joulemark.pytest_plugin.cases import CaseItem
from joulemark.pytest_plugin.limits import MARK, check_limits, marker_arguments
from joulemark.suite.system.clock import monotonic_s

SHORTEST_S = 1.0
"""The shortest window of a call that may be repeated."""
LONGEST_S = 30.0
LEAD_S = 0.3
"""How long calls are repeated before and after a window, so that both its ends lie in steady load."""
BLOCK_S = 0.02
"""Calls between two reads of the clock take at least about this long."""


class EnergyPlugin:
    """Replace the fixture by one that measures, check limits, and report what was measured."""

    def __init__(self, config: pytest.Config) -> None:
        """Start sampling. pytest.UsageError where the options cannot be met."""
        self._allow_estimates = config.getoption("--joulemark-allow-estimates")
        self._measured: dict[str, CallEnergy] = {}
        """By node id."""
        try:
            self._meter = joulemark.Meter(
                "pytest", zone=config.getoption("--joulemark-zone"), sensor=config.getoption("--joulemark-sensor")
            )
            with warnings.catch_warnings():
                # Without sampling, each benchmark is reported as not measured.
                warnings.simplefilter("ignore", RuntimeWarning)
                self._meter.start().stop()
        except joulemark.JoulemarkError as error:
            raise pytest.UsageError(f"joulemark: {error}") from None

    @pytest.fixture
    def benchmark(self, benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> BenchmarkFixture:
        """Return the same object, which other plugins know, as one of a class that also measures energy."""
        if not isinstance(request.node, CaseItem):  # those are measured in processes of their own
            benchmark.__class__ = MeasuredBenchmark
            benchmark.joulemark_record = functools.partial(self._record, request.node.nodeid)
            benchmark.joulemark_meter = self._meter
        return benchmark

    def _record(self, nodeid: str, measured: CallEnergy) -> Mapping[str, Any]:
        self._measured[nodeid] = measured
        return measured.extra_info

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Reject invalid limits before anything runs."""
        for item in items:
            marker_arguments(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Measure a test that has limits but no benchmark, as one call."""
        if not pyfuncitem.get_closest_marker(MARK) or "benchmark" in pyfuncitem.fixturenames:
            return (yield)
        with self._meter:
            result = yield
        self._measured[pyfuncitem.nodeid] = call_energy([self._meter.last], 1)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Check the limits of a test that passed; of several ranks on a node, the one that measures checks them."""
        result = yield
        rank = self._meter.rank
        if rank is None or rank.counts_the_node:
            check_limits(item, self._measured.get(item.nodeid), self._allow_estimates)
        return result

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print what the energy covers, and why some of it is missing."""
        if not self._measured:
            return
        terminalreporter.section("joulemark")
        for line in dict.fromkeys(line for measured in self._measured.values() for line in measured.explanation):
            terminalreporter.write_line(line)
        for nodeid, measured in self._measured.items():
            if measured.energy["value"] is None:
                terminalreporter.write_line(f"not measured: {nodeid}: {measured.energy['reason']}")


class MeasuredBenchmark(BenchmarkFixture):
    """pytest-benchmark's fixture, which also measures energy with `joulemark_meter`."""

    joulemark_record: Callable[[CallEnergy], Mapping[str, Any]]
    """Keeps what was measured, and returns it for `extra_info`."""
    joulemark_meter: joulemark.Meter

    def __call__(self, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = super().__call__(function_to_benchmark, *args, **kwargs)
        if self.enabled:
            self._record(self._repeat, functools.partial(function_to_benchmark, *args, **kwargs))
        return result

    def pedantic(self, *args: Any, **kwargs: Any) -> Any:
        if self.disabled:
            return super().pedantic(*args, **kwargs)
        bound = inspect.signature(super().pedantic).bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = bound.arguments
        if self.cprofile:
            result = super().pedantic(**arguments)
            self._record(unmeasured, "the profiler's calls are among those of the test (--benchmark-cprofile)")
        elif arguments["setup"] or arguments["teardown"]:
            # A window for each call leaves out what is not the call's own.
            first = len(self.joulemark_meter.measurements)
            result = super().pedantic(**{**arguments, "target": self.joulemark_meter(arguments["target"])})
            windows = self.joulemark_meter.measurements[first:]
            self._record(call_energy, windows, len(windows))
        else:
            with self.joulemark_meter as meter:
                result = super().pedantic(**arguments)
            iterations = arguments["iterations"]
            # pytest-benchmark has no result of a loop, and calls once more for it.
            calls = iterations * (arguments["rounds"] + arguments["warmup_rounds"]) + (iterations > 1)
            self._record(call_energy, [meter.last], calls)
        return result

    def _record(self, measure: Callable[..., CallEnergy], *args: Any) -> None:
        try:
            self.extra_info.update(self.joulemark_record(measure(*args)))
        except BaseException:
            self.has_error = True
            raise

    def _repeat(self, call: Callable[[], object]) -> CallEnergy:
        """Measure windows of repeated calls, until one is as long as its sensors need."""
        # A longer call has just been steady load itself.
        lead_s = LEAD_S if self.stats.stats.mean < LEAD_S else 0.0
        length_s = SHORTEST_S
        while True:
            with PauseInstrumentation():
                _call_for(call, lead_s)
                with self.joulemark_meter as meter:
                    calls = _call_for(call, length_s)
                _call_for(call, lead_s)
            required_s = required_length_s(meter.last)
            if meter.duration_s >= required_s or length_s >= LONGEST_S:
                return call_energy([meter.last], calls)
            # A little more: windows end with a whole block, and update periods are known to a few digits.
            length_s = min(1.05 * required_s, LONGEST_S)


def _call_for(call: Callable[[], object], length_s: float) -> int:
    """Repeat a call for `length_s` seconds, in blocks that grow to `BLOCK_S`, and return the number of calls.

    Neither the clock nor the length of a call is pytest-benchmark's: a test may have frozen its timer, or chosen one
    that stands still.
    """
    calls, block_size = 0, 1
    begin_s = now_s = monotonic_s()
    while now_s - begin_s < length_s:
        for _ in range(block_size):
            call()
        calls += block_size
        block_begin_s, now_s = now_s, monotonic_s()
        if now_s - block_begin_s < BLOCK_S:
            block_size *= 2
    return calls
