"""The meter process: it samples for a user's program, and turns the windows that the program marks into readings.

It exchanges JSON lines with `joulemark.meter_process`. Times are CLOCK_MONOTONIC seconds, which all processes share, so
that the program only reads a clock while something is measured.

    {"do": "open", "sensor": ["rapl"], "origin": null}         -> {"sensors": [...], "findings": [...], "origin": [...]}
    {"do": "check", "given": {"zone": "CH"}, "about": {...}}        -> {}
    {"do": "read", "given": {...}, "windows": [[t0, t1], ...]}      -> {"windows": [{...}, ...]}
    {"do": "sums", "windows": [[t0, t1], ...]}                      -> {"energy_j": [...], "components_j": [{...}, ...]}
    {"do": "describe", "given": {...}, "about": {...}}              -> {"parameters": {"zone": "CH", ...}}
    {"do": "save", "path": ..., "name": ..., "windows": [...]}      -> {}
    {"do": "keep", "path": ..., "name": ..., "begin_s": t0}         -> {}

An answer carries the `number` of its request, which tells it from the answer to a request that was interrupted. One
with `error` says in one line what went wrong. The process ends with its input, with its parent, or with its sampler.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from joulemark.suite.errors import JoulemarkError, MeasurementError, UsageError
from joulemark.suite.meter.session import MeterSession
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.system.text import one_line
from joulemark.suite.trial.processes import claim_stdout

Document = dict[str, Any]

READ_BYTES = 1 << 16
CHECK_PERIOD_S = 1.0
"""The parent's end closes our input too, unless a child that it forked holds the pipe open."""


def main() -> None:
    """Answer requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which then ends this process
    answers = claim_stdout()
    os.dup2(1, 2)  # nor may a library write to the program's terminal
    sessions: list[MeterSession] = []
    parent = os.getppid()

    def goes_on() -> bool:
        return os.getppid() == parent and all(session.alive for session in sessions)

    with contextlib.suppress(BrokenPipeError), contextlib.ExitStack() as resources:  # until the program has ended
        for line in _lines(sys.stdin.fileno(), goes_on):
            try:
                request = json.loads(line)
            except ValueError:
                continue  # Ctrl-C cut it off as it was written: nobody waits for an answer
            answer = _answer(sessions, request, resources)
            answers.write(json.dumps({**answer, "number": request.get("number")}) + "\n")
            answers.flush()


def _lines(descriptor: int, goes_on: Callable[[], bool]) -> Iterator[bytes]:
    """Yield lines until the input ends or `goes_on()` is false. After an interrupted request several come at once."""
    unread = b""
    while goes_on():
        ready, _, _ = select.select([descriptor], [], [], CHECK_PERIOD_S)
        if not ready:
            continue
        received = os.read(descriptor, READ_BYTES)
        if not received:
            return
        *lines, unread = (unread + received).split(b"\n")
        yield from lines


def _answer(
    sessions: list[MeterSession], request: Mapping[str, Any], resources: contextlib.ExitStack
) -> Mapping[str, Any]:
    """Return the answer to a request. `open` adds the one session to `sessions`, until `resources` are closed."""
    try:
        if request["do"] == "open":
            scratch = resources.enter_context(scratch_directory())
            sessions.append(MeterSession.open(scratch, request["sensor"], request.get("origin")))
            resources.callback(sessions[0].close)
            resources.callback(_save_kept, sessions[0])
            return sessions[0].sensors_found()
        if not sessions:
            raise UsageError("no sensors were opened before the first request.")
        (session,) = sessions
        methods: Mapping[str, Callable[[Mapping[str, Any]], Document]] = {
            "check": session.check,
            "read": session.read,
            "sums": session.sums,
            "describe": session.describe,
            "save": session.save,
            "keep": session.keep,
        }
        return methods[request["do"]](request)
    except Exception as error:  # noqa: BLE001 - the user's program must go on
        return _error(error)


def _save_kept(session: MeterSession) -> None:
    """Write the run file of a program that has ended without. Where that fails nobody is left to be told."""
    with contextlib.suppress(Exception):
        session.save_kept()


def _error(error: Exception) -> Document:
    if not isinstance(error, JoulemarkError):
        error = MeasurementError(f"a bug, please report it: {type(error).__name__}: {error}")
    return {"error": one_line(str(error)), "type": type(error).__name__}


if __name__ == "__main__":
    main()
