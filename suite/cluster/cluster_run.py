"""A run on several nodes while it lasts: starts its parts, keeps what comes home, and writes down how far it is."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from joulemark.suite.cluster import job_file
from joulemark.suite.cluster.engine import Assignment, Engine, EngineNode, NodeEvent, Outcome
from joulemark.suite.cluster.job_file import JobFile, Part, Status
from joulemark.suite.cluster.on_node import INTERRUPTED
from joulemark.suite.cluster.settings_text import options, passed_on, settings_file_text
from joulemark.suite.cluster.supervisor import FINISH_S
from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.records import Node, RunFile, write
from joulemark.suite.results.history import parquet
from joulemark.suite.results.run_files import parse
from joulemark.suite.system.ranks.span import Span, first_port

EVENTS_S: Final = 1.0
STOP_S: Final = FINISH_S + 30.0
"""How long parts that were interrupted may take to come home."""
MEASURED: Final = (0, 4)
"""Exit codes of a run that was measured, whatever became of its cases."""


class NodesListener(Protocol):
    """Shows the progress of a run on several nodes."""

    def on_line(self, number: int, text: str) -> None:
        """A node tells how far it is."""

    def on_end(self, part: Part) -> None:
        """A part has ended."""

    def on_stop(self) -> None:
        """The user has asked for the end: what is finished comes home."""


class NoListener:
    """Shows nothing."""

    def on_line(self, number: int, text: str) -> None:
        """Show nothing of a node."""

    def on_end(self, part: Part) -> None:
        """Show nothing of the end of a part."""

    def on_stop(self) -> None:
        """Show nothing of the end."""


class ClusterRun:
    """A run on several nodes."""

    def __init__(self, job: JobFile, engine: Engine, directory: Path, listener: NodesListener) -> None:
        """`directory`: where run files and the job's own are kept."""
        self.job, self._engine, self._directory, self._listener = job, engine, directory, listener
        self._running: set[int] = set()
        self._taken: NodeEvent | None = None
        self._first_address = ""
        self._stopped = False

    def run(self, nodes: Mapping[int, EngineNode]) -> bool:
        """Measure the parts that have a node in `nodes`, by number; return whether Ctrl-C or a signal ended it."""
        interrupted = False
        self._first_address = nodes[0].address if 0 in nodes else ""
        try:
            for number, node in nodes.items():
                assignment = self.assignment(number, node)
                part = self.job.parts[number]
                kept = {"run": assignment.run_id, "identity": node.identity, "host": node.label}
                self.job = self.job.with_part(part.model_copy(update={**kept, "status": "waiting", "reason": ""}))
                self._running.add(number)
                self._engine.start(node, assignment)
            self._write()
            self._follow()
        except KeyboardInterrupt:
            interrupted = True
            self._stop()
        except UsageError as error:  # the engine is lost
            self._lose(str(error), "failed")
        self._lose("it was interrupted, and nothing of it has come home", "interrupted")
        return interrupted

    def dry_run(self, nodes: Mapping[int, EngineNode]) -> dict[int, Outcome]:
        """Return what the nodes answer that would measure the parts in `nodes`, by number."""
        for number, node in nodes.items():
            self._engine.start(node, self.assignment(number, node, dry_run=True))
        found: dict[int, Outcome] = {}
        while len(found) < len(nodes):
            for event in self._engine.events(EVENTS_S):
                if event.outcome is not None:
                    found[event.number] = event.outcome
                    self._engine.release(event.number)
        return dict(sorted(found.items()))

    def assignment(self, number: int, node: EngineNode, dry_run: bool = False) -> Assignment:
        """Return what a node is to do: on the node that began a part, to go on with that."""
        assert node.identity is not None
        part = self.job.parts[number]
        place = node.identity.place(number)
        begun = (
            not self.job.spans
            and part.run is not None
            and part.identity is not None
            and part.identity.place(number) == place
        )
        path = self._directory / f"{part.run}.json"
        return Assignment(
            job=self.job.id,
            number=number,
            place=place,
            settings=settings_file_text(self.job.settings),
            options=options(self.job.settings),
            environment={**passed_on(), **(self._span(number) if not dry_run else {})},
            address=node.address if self.job.spans else "",
            fresh=self.job.spans,
            run_id=part.run if begun else None,
            run_data=zlib.compress(path.read_bytes()) if begun and path.exists() else b"",
            dry_run=dry_run,
        )

    def _span(self, number: int) -> dict[str, str]:
        """Return the variables that tell a node which one it is of those that the ranks are divided among."""
        if not self.job.spans:
            return {}
        return Span(self.job.id, number, self.job.count, self._first_address, first_port(self.job.id)).variables()

    def _follow(self, timeout_s: float = float("inf")) -> None:
        """Take in what happens until all parts have ended."""
        deadline_s = time.monotonic() + timeout_s
        while self._running and time.monotonic() < deadline_s:
            for event in self._engine.events(EVENTS_S):
                self._take(event)

    def _take(self, event: NodeEvent) -> None:
        if event.number not in self._running:
            return
        self._taken = event  # Ctrl-C may come before it is dealt with
        if event.line is not None:
            self._listener.on_line(event.number, event.line)
        if event.outcome is not None:
            self._end(event.number, event.outcome)

    def _end(self, number: int, outcome: Outcome) -> None:
        """Keep what has come home of a part, and only then let its node forget it."""
        part = self.job.parts[number]
        status: Status = "ok" if outcome.exit_code in MEASURED else "failed"
        if outcome.exit_code == INTERRUPTED or (outcome.exit_code is None and self._stopped):
            status = "interrupted"
        update: dict[str, object] = {"exit_code": outcome.exit_code, "reason": outcome.reason}
        if outcome.run_data:
            try:
                run_file = self._keep(part, outcome.run_data)
            except (JoulemarkError, zlib.error) as error:
                status, update["reason"] = "failed", f"its run file cannot be kept: {error}"
            else:
                update["run"] = run_file.run.id
                if status == "ok" and not run_file.run.complete:
                    status, update["reason"] = "interrupted", "trials were lost"
        elif status == "ok":
            status, update["reason"] = "failed", "no run file has come home"
        self._set(part.model_copy(update={**update, "status": status}))
        self._engine.release(number)
        if self.job.spans and status != "ok" and self._running:  # the others would wait for it
            self._engine.stop()

    def _keep(self, part: Part, data: bytes) -> RunFile:
        """Write the run file of a part, which says which node of the job it is of."""
        run_file = parse(zlib.decompress(data), f"the run file of node {part.number}")
        ranks = max(self.job.settings.ranks) if self.job.spans else None
        local = None if ranks is None else ranks // self.job.count
        node = Node(
            job=self.job.id,
            launcher=self.job.engine,
            apart=not self.job.spans,
            first_rank=None if local is None else local * part.number,
            ranks=ranks,
            local_ranks=local,
            machine=part.identity.machine if part.identity is not None else "",
            rank=part.number,
            count=self.job.count,
            host=run_file.machine.hostname,
            boards=tuple(gpu.uuid for gpu in run_file.machine.gpus),
        )
        run_file = run_file.model_copy(update={"node": node})
        path = self._directory / f"{run_file.run.id}.json"
        write(run_file, path)
        parquet.keep(path, run_file)
        return run_file

    def _set(self, part: Part) -> None:
        self._running.discard(part.number)
        self.job = self.job.with_part(part)
        self._write()
        self._listener.on_end(part)

    def _write(self) -> None:
        job_file.write(self.job, self._directory)

    def _stop(self) -> None:
        """Interrupt all parts, and take in what they have finished. A second Ctrl-C does not wait for that."""
        self._listener.on_stop()
        self._stopped = True
        try:
            self._engine.stop()
            if self._taken is not None:
                self._take(self._taken)
            self._follow(STOP_S)
        except KeyboardInterrupt:
            return
        except UsageError as error:
            self._lose(str(error), "interrupted")

    def _lose(self, reason: str, status: Status) -> None:
        """Write down that the parts that are left have not come home."""
        for number in sorted(self._running):
            self._set(self.job.parts[number].model_copy(update={"status": status, "reason": reason}))
