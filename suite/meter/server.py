"""The meters' helper: the process that samples for somebody's program, and turns its marks into readings.

It is started isolated, with our own folder first on its path, so that the program may have packages called `suite` or
`reports` of its own. One JSON object a line goes in, one comes back; times are CLOCK_MONOTONIC seconds, which both
processes share, so that the program only reads a clock while something is measured.

    {"do": "open", "sensor": ["rapl"]}                              -> {"sensors": [...], "findings": [...]}
    {"do": "check", "given": {"zone": "CH"}, "about": {...}}        -> {}
    {"do": "read", "given": {...}, "windows": [[t0, t1], ...]}      -> {"windows": [{...}, ...]}
    {"do": "sums", "windows": [[t0, t1], ...]}                      -> {"energy_j": [...]}
    {"do": "save", "path": ..., "name": ..., "windows": [...]}      -> {"path": ...}

An answer has the `number` of its request, so that one to a request that was interrupted is told from the next. One with
`error` says in one line why there is no other. The helper ends with its input, or with its parent.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.meter.session import MeterSession

Document = dict[str, Any]

READ_BYTES = 1 << 16
ALIVE_PERIOD_S = 1.0
"""How often the parent is looked for: its death closes our input too, unless a child that it forked holds it open."""


def main() -> None:
    """Serve requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which then ends us
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # a library that prints must disturb neither the answers nor the program's terminal
        os.dup2(nowhere, descriptor)
    with tempfile.TemporaryDirectory(prefix="joulemark-meter-") as scratch:
        desk: MeterSession | None = None
        try:
            for line in _lines(sys.stdin.fileno(), os.getppid()):
                try:
                    request = json.loads(line)
                except ValueError:
                    continue  # Ctrl-C cut it off while it was written: nobody waits for an answer
                if request["do"] == "open" and desk is None:
                    answer, desk = _open(request, Path(scratch))
                else:
                    answer = _answer(desk, request)
                answers.write(json.dumps({**answer, "number": request.get("number")}) + "\n")
                answers.flush()
        except BrokenPipeError:
            pass  # the program has gone
        finally:
            if desk is not None:
                desk.close()


def _lines(source: int, parent: int) -> Iterator[bytes]:
    """The lines of `source` until its end or the parent's; after an interrupted request, several may lie in it."""
    unread = b""
    while os.getppid() == parent:
        ready, _, _ = select.select([source], [], [], ALIVE_PERIOD_S)
        if not ready:
            continue
        received = os.read(source, READ_BYTES)
        if not received:
            return
        *lines, unread = (unread + received).split(b"\n")
        yield from lines


def _open(request: Mapping[str, Any], scratch: Path) -> tuple[Document, MeterSession | None]:
    try:
        desk = MeterSession.open(scratch, request["sensor"])
    except JoulemarkError as error:
        return _failure(error), None
    return desk.opened(), desk


def _answer(desk: MeterSession | None, request: Mapping[str, Any]) -> Document:
    if desk is None:
        return _failure(UsageError("the helper was not opened."))
    verbs: Mapping[str, Callable[[Mapping[str, Any]], Document]] = {
        "check": desk.check,
        "read": desk.read,
        "sums": desk.sums,
        "save": desk.save,
    }
    try:
        return verbs[request["do"]](request)
    except JoulemarkError as error:
        return _failure(error)
    except Exception as error:  # noqa: BLE001 - the program that asked must go on
        return {"error": f"a bug, please report it: {type(error).__name__}: {error}", "type": "MeasurementError"}


def _failure(error: JoulemarkError) -> Document:
    return {"error": " ".join(str(error).split()), "type": type(error).__name__}
