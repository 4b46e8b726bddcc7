"""SIGTERM and SIGHUP interrupt the command as Ctrl-C does: schedulers, `timeout` and closed terminals send them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

EXIT_CODE = 130
"""Interrupted."""

REPEATED_S = 1.0
"""Signals within this time are one: `timeout` and the kernel send them to the process and to its group."""


def exit_silently() -> None:
    """Let each of the signals end the process at once: before there is anything to keep, and once all is kept."""
    _handle(lambda _number, _frame: os._exit(EXIT_CODE))


def install() -> None:
    """Let each of the signals raise KeyboardInterrupt in the main thread, unless it is ignored, as by nohup(1).

    A second one soon after is ignored, since it would interrupt what the first one lets be kept and cleaned up.
    """
    last_s = -REPEATED_S

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal last_s
        if number == signal.SIGHUP:
            _discard_output_to_closed_terminal()
        previous_s, last_s = last_s, time.monotonic()
        if last_s - previous_s >= REPEATED_S:
            raise KeyboardInterrupt

    _handle(interrupt)


class Stop:
    """Whether one of the signals has come, for a loop that ends in its own time."""

    def __init__(self, wakeup: int) -> None:
        """`wakeup` is a descriptor that can be read once a signal has come."""
        self.received = False
        self._wakeup = wakeup

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _discard_output_to_closed_terminal()
        self.received = True

    def wait(self, timeout_s: float) -> bool:
        """Wait for a signal, `timeout_s` at most; return whether one has come."""
        if not self.received:
            select.select([self._wakeup], [], [], max(0.0, timeout_s))
        return self.received


@contextlib.contextmanager
def deferred() -> Iterator[Stop]:
    """Let the signals be noted during the block, instead of interrupting it anywhere. Only in the main thread."""
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    stop = Stop(readable)
    before = {number: signal.getsignal(number) for number in SIGNALS}
    descriptor = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    try:
        _handle(stop)
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(descriptor)
        os.close(readable)
        os.close(writable)


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _discard_output_to_closed_terminal() -> None:
    """Replace output streams whose terminal has gone: writing there fails, and what is finished is still to be kept."""
    for descriptor in (1, 2):
        try:
            os.write(descriptor, b"")
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
