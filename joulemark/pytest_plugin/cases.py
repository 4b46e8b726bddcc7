"""`pytest --joulemark-suite`: joulemark's cases as tests with pytest-benchmark's fixture.

All that are selected are measured in one run of the command, in rounds of fresh processes as ever; each test then
hands the trials of its case to pytest-benchmark, one round a trial. So its table, JSON, `--benchmark-compare` and
`--benchmark-compare-fail` hold for them too.
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
FAILED = 4
"""`joulemark run`: a case failed, and the run is kept all the same; or nothing could be measured, and there is none."""

Benchmark = Any
"""pytest-benchmark's fixture, which has no types."""


class Trials:
    """A clock that gives back durations that were measured before: one between each two calls."""

    def __init__(self) -> None:
        self.durations_s: Iterator[float] = iter(())
        self._running = False

    def __str__(self) -> str:
        return "joulemark's trials"

    def __call__(self) -> float:
        self._running = not self._running
        return 0.0 if self._running else next(self.durations_s)


class Group(pytest.Collector):
    """What the cases stand below; no file on disk."""

    cases: Sequence[Mapping[str, Any]] = ()
    """`id` and, where it cannot be run, the `reason` of each."""
    measured: Callable[..., None]
    """The test of each."""

    def collect(self) -> Iterator[pytest.Item]:
        for outlined in self.cases:
            case: Case = Case.from_parent(self, name=outlined["id"], callobj=self.measured)
            case.reason = outlined["reason"]
            case.add_marker(pytest.mark.benchmark(timer=Trials()))
            yield case


class Case(pytest.Function):
    """One case; its name is its id."""

    reason: str | None
    """Why it cannot be run; None where it can."""

    def reportinfo(self) -> tuple[str, int, str]:
        return NODE, 0, self.name


class Cases:
    """Collects the cases, and measures them before the first is run."""

    def __init__(self, config: pytest.Config, options: str) -> None:
        try:
            self._options = shlex.split(options)
        except ValueError as error:
            raise pytest.UsageError(f"joulemark: --joulemark-suite {options!r}: {error}.") from None
        self._only = config.args_source is not config.ArgsSource.ARGS
        """Without paths on the command line, the project's own tests are left alone."""
        self._runnable = 0
        self._found: dict[str, Mapping[str, Any]] | None = None
        self._ended = ""
        """Why the run ended early; empty where it did not."""
        self._lost: dict[str, Mapping[str, Any]] = {}

    def pytest_ignore_collect(self) -> bool | None:
        return True if self._only else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        group = Group.from_parent(session, name=NODE, nodeid=NODE)
        group.measured = self.measured
        planned = joulemark("run", *self._options, "--dry-run", "--json")
        if planned.returncode:
            raise pytest.UsageError((planned.stderr or "").strip())
        group.cases = json.loads(planned.stdout)["cases"]
        self._runnable = sum(case["reason"] is None for case in group.cases)
        report = session.ihook.pytest_make_collect_report(collector=group)
        session.ihook.pytest_collectreport(report=report)
        for case in report.result:
            session.ihook.pytest_itemcollected(item=case)
        items += report.result

    def measured(self, request: pytest.FixtureRequest, benchmark: Benchmark) -> None:
        """The test itself."""
        case = request.node
        assert isinstance(case, Case)
        if case.reason is not None:
            pytest.skip(case.reason)
        if benchmark.disabled:
            pytest.skip("pytest-benchmark is disabled, so that nothing is measured")
        if self._found is None:
            self._measure(case.session)
        assert self._found is not None
        found = self._found.get(case.nodeid)
        if found is None:
            lost = self._lost.get(case.nodeid, {"status": "failed", "reason": self._ended or "it is not in the run"})
            if lost["status"] == "skipped":
                pytest.skip(lost["reason"])
            benchmark._mode = "measured before"  # else pytest-benchmark warns that it was not used
            raise pytest.fail.Exception(lost["reason"], pytrace=False)
        benchmark.group = found["group"]
        benchmark.extra_info.update(found["extra_info"])
        data = found["stats"]["data"]
        clock = next(mark for mark in case.iter_markers("benchmark")).kwargs["timer"]
        clock.durations_s = iter(data)
        benchmark.pedantic(lambda: None, rounds=len(data))

    def _measure(self, session: pytest.Session) -> None:
        """One run of what is selected."""
        wanted = [item.name for item in session.items if isinstance(item, Case) and item.reason is None]
        # A word of -k matches a part of an id, so that an id may bring a longer one with it: it is then not asked for.
        keyword = [] if len(wanted) == self._runnable else ["-k", " or ".join(wanted)]
        capture: Any = session.config.pluginmanager.getplugin("capturemanager")
        # Its progress is for the terminal.
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            done = joulemark("run", *self._options, *keyword, "--no-report", "--json", quiet=False)
        self._found = {}
        if done.returncode not in (0, FAILED) or not done.stdout.strip():
            self._ended = f"joulemark run ended with exit code {done.returncode}, and said why before the first case"
            return
        run = json.loads(done.stdout)
        self._lost = {f"{NODE}::{case['id']}": case for case in run["cases"] if case["status"] != "ok"}
        if len(self._lost) < len(run["cases"]):
            exported = json.loads(joulemark("export", run["path"], "--format", "pytest-benchmark").stdout)
            self._found = {bench["fullname"]: bench for bench in exported["benchmarks"]}
