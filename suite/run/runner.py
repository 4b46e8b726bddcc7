"""Cases -> a run: the lock, and one session from first second to run file. All that measures goes through here."""

from __future__ import annotations

import os
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from joulemark.suite.records import ArmName
from joulemark.suite.results.assemble import finish
from joulemark.suite.run import lock
from joulemark.suite.run.run_spec import ProgressListener, RunSpec
from joulemark.suite.run.session import Session
from joulemark.suite.trial import environment as environments
from joulemark.suite.trial.environment import Environment


def measure(order: RunSpec, watcher: ProgressListener) -> Path:
    """Measure `order` and return the path of its run file, which an interrupted run has too (`complete` false).

    UsageError where another run measures or the directory cannot be written; KeyboardInterrupt is passed on as
    `InterruptedRun`, after the file is written. Of a run that could not begin nothing is left.
    """
    run_id = order.resumed.run.id if order.resumed else new_id()
    with lock.hold(run_id), tempfile.TemporaryDirectory(prefix="joulemark-") as scratch:
        session = Session(order, run_id, _environments(order, Path(scratch)), watcher)
        try:
            session.measure()
        except KeyboardInterrupt:
            raise InterruptedRun(finish(session.journal.path)) from None
        finally:
            session.journal.close()
        return finish(session.journal.path)


def _environments(order: RunSpec, scratch: Path) -> dict[ArmName | None, Environment]:
    """The trials' variables by arm, each with threads and caches of its own; for None where there are no arms."""
    if not order.sides:
        return {None: environments.build(os.environ, order.plan.cases[0].threads, scratch)}
    return {name: environments.build(os.environ, side.threads, scratch / name) for name, side in order.sides.items()}


def new_id() -> str:
    """An id for a run: its UTC time, so that ids sort by it, and four hex digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


class InterruptedRun(KeyboardInterrupt):
    """Ctrl-C; `path` is the run file of what was finished before."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path
