"""Runs a command and ends it, as Ctrl-C would, once its own input ends: with whoever holds the other end of the pipe.

An engine may kill the process that started a run at any moment. The run then keeps what is finished, and ends with all
its processes; nothing is left on the node. A module to be run: `python -P -m joulemark.suite.cluster.supervisor WORDS`.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from functools import partial
from typing import Final

from joulemark.suite.trial.processes import (
    CHECK_PERIOD_S,
    READ_BYTES,
    adopt_orphans,
    die_with_parent,
    ends_within,
    kill_children,
    kill_group,
)

FINISH_S: Final = 120.0
"""How long a run that was interrupted may take to write its file; then it is killed."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(words: list[str]) -> int:
    """Run the command `words`; return its exit code, or 128 and the number of the signal that ended it."""
    for number in SIGNALS:  # whoever started this may ignore some, and a child would inherit that
        signal.signal(number, signal.SIG_DFL)
    adopt_orphans()
    die = partial(die_with_parent, signal.SIGTERM)
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die,  # noqa: PLW1509  this process has one thread
    ) as child:
        for number in SIGNALS:
            signal.signal(number, lambda _number, _frame: _interrupt(child))
        if not _ended_before_input(child):
            _interrupt(child)
            ends_within(child.pid, FINISH_S)
        kill_group(child.pid)  # before it is reaped: the number of the group is still its own
        code = child.wait()
    kill_children()
    return code if code >= 0 else 128 - code


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGTERM)


def _ended_before_input(child: subprocess.Popen[bytes]) -> bool:
    """Wait for the end of the child or of this process's input; return whether it was the child."""
    process = os.pidfd_open(child.pid)
    try:
        while True:
            ready = select.select([0, process], [], [], CHECK_PERIOD_S)[0]
            if process in ready:
                return True
            if 0 in ready and not os.read(0, READ_BYTES):
                return False
    finally:
        os.close(process)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
