"""The process that sets limits for a sweep and restores them when the sweep ends, however it ends.

Its first line of input is the target; each line after it asks for limits, and is answered in one. When the input ends,
since the sweep closed it or was killed, or when its parent ends, what was set is restored. Signals that end the sweep
do not end this process before.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from collections.abc import Iterator
from typing import Any

from joulemark.suite.limits.base import DeviceLimits, LimitError, Target, open_limits
from joulemark.suite.trial import processes

_PARENT = os.getppid()


def main() -> None:
    """Serve the target of the first line."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    requests = _requests()
    limits: DeviceLimits | None = None
    try:
        limits = open_limits(Target.of_document(next(requests)))
        limits.check()
        _answer(originals=dict(limits.originals))
        for request in requests:
            _answer_to(request, limits)
        limits.restore()
        _answer(restored=True)
    except LimitError as error:
        _answer(error=str(error))
    finally:
        if limits is not None:
            limits.close()


def _requests() -> Iterator[dict[str, Any]]:
    """Yield requests until the input or the parent of this process ends: others may hold the pipe open."""
    buffer = b""
    while os.getppid() == _PARENT:
        if not select.select([0], [], [], processes.CHECK_PERIOD_S)[0]:
            continue
        received = os.read(0, processes.READ_BYTES)
        if not received:
            return
        *lines, buffer = (buffer + received).split(b"\n")
        yield from map(json.loads, lines)


def _answer_to(request: dict[str, Any], limits: DeviceLimits) -> None:
    try:
        _answer(shown=limits.set(request["power_limit_w"], request["clock_mhz"]))
    except LimitError as error:
        _answer(error=str(error))


def _answer(**document: Any) -> None:
    """Write one line; nobody may be reading it any more."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(document).encode() + b"\n")


if __name__ == "__main__":
    main()
