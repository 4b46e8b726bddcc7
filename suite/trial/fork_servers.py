"""The fork servers of a round, one for each framework: started together, replaced if they end, closed after it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

from joulemark.suite.trial.fork_server_client import ForkServer, ForkServerError, Isolation, OnStage, OnTurns
from joulemark.suite.trial.outcome import Outcome
from joulemark.suite.trial.request import Request


class ForkServers:
    """Fork servers by framework. A framework that cannot be imported is `broken`, with its reason, and stays so."""

    def __init__(
        self, variables: Mapping[str, str], pythons: Mapping[str, str], on_spawn: Callable[[str, str], None]
    ) -> None:
        """`pythons`: interpreters by framework; `on_spawn(framework, reason)` is called if forking is not safe."""
        self._variables, self._pythons, self._on_spawn = variables, pythons, on_spawn
        self._servers: dict[str, ForkServer] = {}
        self.broken: dict[str, str] = {}

    def start(self, frameworks: Iterable[str]) -> None:
        """Start fresh servers, with a new memory layout and hash seed. All import at the same time."""
        for name in sorted(set(frameworks) - set(self.broken)):
            with self._catching_failure(name):
                self._servers[name] = self._start(name, "fork")
        for name in list(self._servers):
            with self._catching_failure(name):
                fork_hazards = self._servers[name].wait_ready()
                if fork_hazards:
                    self._servers[name].close()
                    self._on_spawn(name, fork_hazards)
                    self._servers[name] = self._start(name, "spawn")
                    self._servers[name].wait_ready()

    def has(self, framework: str) -> bool:
        """Return whether the server of `framework` runs, or is known to be broken."""
        return framework in self._servers or framework in self.broken

    def isolation(self, framework: str) -> Isolation | None:
        """Return how trials of `framework` are started; None if it is broken."""
        return None if framework in self.broken else self._servers[framework].isolation

    def run(
        self,
        request: Request,
        timeout_s: float,
        on_stage: OnStage = lambda _stage: None,
        on_turns: OnTurns = lambda _trial: None,
    ) -> Outcome:
        """Run one trial, as `ForkServer.run` does, and return its outcome, also if the server itself fails."""
        name = request.framework
        if name in self.broken:
            return Outcome(None, "import_failed", f"{name} cannot be imported: {self.broken[name]}", "")
        server = self._servers[name]
        try:
            outcome = server.run(request, timeout_s, on_stage, on_turns)
        except ForkServerError as error:
            outcome = Outcome(None, "crashed", str(error), "")
        if server.isolation == "spawn" or outcome.reason_code == "crashed":
            self._replace(name)
        return outcome

    def close(self) -> None:
        """End all servers."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def _replace(self, framework: str) -> None:
        """Start a new server in place of one that is used up or may have ended."""
        old_server = self._servers[framework]
        old_server.close()
        with self._catching_failure(framework):
            self._servers[framework] = self._start(framework, old_server.isolation)
            self._servers[framework].wait_ready()

    def _start(self, framework: str, isolation: Isolation) -> ForkServer:
        return ForkServer(framework, self._variables, self._pythons.get(framework, sys.executable), isolation)

    @contextlib.contextmanager
    def _catching_failure(self, framework: str) -> Iterator[None]:
        """Mark `framework` as broken if its server fails: only its own cases fail then."""
        try:
            yield
        except ForkServerError as error:
            self.broken[framework] = str(error)
            self._servers.pop(framework, None)
