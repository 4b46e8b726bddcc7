"""The zygotes of a round, one a framework: started together, replaced when they are gone, closed at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from joulemark.suite.trial.fork_server_client import Outcome, Zygote, ZygoteError
from joulemark.suite.trial.request import Request

How = Literal["fork", "spawn"]


class Zygotes:
    """Zygotes by framework. A framework that cannot be imported is `broken`, with its reason, and stays so."""

    def __init__(
        self, variables: Mapping[str, str], pythons: Mapping[str, str], on_spawn: Callable[[str, str], None]
    ) -> None:
        """`pythons` are interpreters by framework; `on_spawn` hears (framework, why) where a fork is not safe."""
        self._variables, self._pythons, self._on_spawn = variables, pythons, on_spawn
        self._zygotes: dict[str, Zygote] = {}
        self.broken: dict[str, str] = {}

    def start(self, frameworks: Iterable[str]) -> None:
        """Fresh zygotes: layout and hash seed are drawn anew. All import at the same time."""
        for name in sorted(set(frameworks) - set(self.broken)):
            with self._noting(name):
                self._zygotes[name] = self._start(name, "fork")
        for name in list(self._zygotes):
            with self._noting(name):
                unclean = self._zygotes[name].wait_ready()
                if unclean:
                    self._zygotes[name].close()
                    self._on_spawn(name, unclean)
                    self._zygotes[name] = self._start(name, "spawn")
                    self._zygotes[name].wait_ready()

    def how(self, framework: str) -> How:
        """How trials of `framework` are started."""
        return self._zygotes[framework].how

    def run(self, request: Request, timeout_s: float, on_part: Callable[[str], None] = lambda _part: None) -> Outcome:
        """One trial, whatever becomes of it: what went wrong with the zygote itself is an outcome too."""
        name = request.framework
        if name in self.broken:
            return Outcome(None, "import_failed", f"{name} cannot be imported: {self.broken[name]}", "")
        zygote = self._zygotes[name]
        try:
            outcome = zygote.run(request, timeout_s, on_part)
        except ZygoteError as error:
            outcome = Outcome(None, "crashed", str(error), "")
        if zygote.how == "spawn" or outcome.reason_code == "crashed":
            self._replace(name)
        return outcome

    def close(self) -> None:
        """End all of them."""
        for zygote in self._zygotes.values():
            zygote.close()
        self._zygotes.clear()

    def _replace(self, framework: str) -> None:
        """A new zygote for one that has served or may be gone."""
        old = self._zygotes[framework]
        old.close()
        with self._noting(framework):
            self._zygotes[framework] = self._start(framework, old.how)
            self._zygotes[framework].wait_ready()

    def _start(self, framework: str, how: How) -> Zygote:
        python = self._pythons.get(framework)
        if python is None:
            return Zygote(framework, self._variables, how=how)
        return Zygote(framework, self._variables, python=python, how=how)

    @contextlib.contextmanager
    def _noting(self, framework: str) -> Iterator[None]:
        """A framework that cannot be imported fails its own cases, and no others."""
        try:
            yield
        except ZygoteError as error:
            self.broken[framework] = str(error)
            self._zygotes.pop(framework, None)
