"""`pytest --joulemark-suite`: joulemark's cases as tests with pytest-benchmark's fixture.

All selected cases are measured by one `joulemark run`, in rounds of fresh processes. Each test then hands the trials of
its case to pytest-benchmark, a round for each trial, so that its table, its JSON, `--benchmark-compare` and
`--benchmark-compare-fail` work for them too.
"""

from __future__ import annotations

import contextlib
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from joulemark.pytest_plugin.command import joulemark

NODE = "joulemark"
CASE_FAILED = 4
"""Exit code of `joulemark run` if a case failed (the run is kept), or if nothing could be measured (there is none)."""

Benchmark = Any
"""pytest-benchmark's fixture, which has no types."""


class ReplayTimer:
    """A timer for pytest-benchmark that returns given durations: the n-th between call 2n and call 2n + 1."""

    def __init__(self) -> None:
        self.durations_s: Iterator[float] = iter(())
        self._running = False

    def __str__(self) -> str:
        return "joulemark's trials"

    def __call__(self) -> float:
        self._running = not self._running
        return 0.0 if self._running else next(self.durations_s)


class CaseCollector(pytest.Collector):
    """The parent of all cases; it has no file."""

    cases: Sequence[Mapping[str, Any]] = ()
    """`id` of each case, and the `reason` why it cannot run, or None."""
    test: Callable[..., None]
    """The test function of every case."""

    def collect(self) -> Iterator[pytest.Item]:
        for case in self.cases:
            item: CaseItem = CaseItem.from_parent(self, name=case["id"], callobj=self.test)
            item.skip_reason = case["reason"]
            item.add_marker(pytest.mark.benchmark(timer=ReplayTimer()))
            yield item


class CaseItem(pytest.Function):
    """One case; its name is the case's id."""

    skip_reason: str | None
    """Why the case cannot run; None if it can."""

    def reportinfo(self) -> tuple[str, int, str]:
        return NODE, 0, self.name


class CasesPlugin:
    """Collect the cases, and measure them before the first is run."""

    def __init__(self, config: pytest.Config, options: str) -> None:
        try:
            self._options = shlex.split(options)
        except ValueError as error:
            raise pytest.UsageError(f"joulemark: --joulemark-suite {options!r}: {error}.") from None
        self._only_cases = config.args_source is not config.ArgsSource.ARGS
        """Without paths on the command line, the project's own tests are not collected."""
        self._runnable = 0
        """Number of cases that can run."""
        self._benchmarks: dict[str, Mapping[str, Any]] | None = None
        """What was measured, by node id; None before the run."""
        self._failed: dict[str, Mapping[str, Any]] = {}
        """Failed and skipped cases, by node id."""
        self._run_error = ""
        """Why there is no run; empty if there is one."""

    def pytest_ignore_collect(self) -> bool | None:
        return True if self._only_cases else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        collector = CaseCollector.from_parent(session, name=NODE, nodeid=NODE)
        collector.test = self.run_case
        planned = joulemark("run", *self._options, "--dry-run", "--json")
        if planned.returncode:
            raise pytest.UsageError((planned.stderr or "").strip())
        collector.cases = json.loads(planned.stdout)["cases"]
        self._runnable = sum(case["reason"] is None for case in collector.cases)
        report = session.ihook.pytest_make_collect_report(collector=collector)
        session.ihook.pytest_collectreport(report=report)
        for item in report.result:
            session.ihook.pytest_itemcollected(item=item)
        items += report.result

    def run_case(self, request: pytest.FixtureRequest, benchmark: Benchmark) -> None:
        """Hand the trials of one case to pytest-benchmark. This is the test function of every case."""
        item = request.node
        assert isinstance(item, CaseItem)
        if item.skip_reason is not None:
            pytest.skip(item.skip_reason)
        if benchmark.disabled:
            pytest.skip("pytest-benchmark is disabled: nothing is measured")
        if self._benchmarks is None:
            self._benchmarks = self._measure(item.session)
        measured = self._benchmarks.get(item.nodeid)
        if measured is None:
            missing = {"status": "failed", "reason": self._run_error or "it is not in the run"}
            case = self._failed.get(item.nodeid, missing)
            if case["status"] == "skipped":
                pytest.skip(case["reason"])
            benchmark._mode = "measured before"  # else pytest-benchmark warns that it was not used
            raise pytest.fail.Exception(case["reason"], pytrace=False)
        benchmark.group = measured["group"]
        benchmark.extra_info.update(measured["extra_info"])
        durations_s = measured["stats"]["data"]
        timer = next(mark for mark in item.iter_markers("benchmark")).kwargs["timer"]
        timer.durations_s = iter(durations_s)
        benchmark.pedantic(lambda: None, rounds=len(durations_s))

    def _measure(self, session: pytest.Session) -> dict[str, Mapping[str, Any]]:
        """Run the selected cases, and return pytest-benchmark's data by node id."""
        selected = [item.name for item in session.items if isinstance(item, CaseItem) and item.skip_reason is None]
        # -k matches parts of ids: it may select a longer id too, whose test then does not ask for it.
        keyword = [] if len(selected) == self._runnable else ["-k", " or ".join(selected)]
        capture: Any = session.config.pluginmanager.getplugin("capturemanager")
        # Progress goes to the terminal.
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            done = joulemark("run", *self._options, *keyword, "--no-report", "--json", show_stderr=True)
        if done.returncode not in (0, CASE_FAILED) or not done.stdout.strip():
            self._run_error = f"joulemark run ended with exit code {done.returncode}; the reason is shown above"
            return {}
        run = json.loads(done.stdout)
        self._failed = {f"{NODE}::{case['id']}": case for case in run["cases"] if case["status"] != "ok"}
        if len(self._failed) == len(run["cases"]):
            return {}
        exported = json.loads(joulemark("export", run["path"], "--format", "pytest-benchmark").stdout)
        return {benchmark["fullname"]: benchmark for benchmark in exported["benchmarks"]}
