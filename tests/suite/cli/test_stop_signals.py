"""SIGTERM and SIGHUP interrupt as Ctrl-C does: once, and not where they are ignored."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys, time
if sys.argv[1:]:
    signal.signal(signal.Signals[sys.argv[1]], signal.SIG_IGN)
from joulemark.suite.cli import stop_signals
stop_signals.install()
try:
    print("ready", flush=True)
    sys.stdin.read()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.stdin.read()  # cleaning up
print("ended", flush=True)
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_its_repetition_does_not_disturb_what_follows(how):
    process = start()
    process.send_signal(how)
    assert process.stdout is not None
    assert process.stdout.readline() == "interrupted\n"
    for again in (how, signal.SIGTERM):
        process.send_signal(again)
    assert process.communicate()[0] == "ended\n"
    assert process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_ignored_signal_stays_ignored(how):
    """By nohup(1), or by a shell without job control."""
    process = start(how.name)
    process.send_signal(how)
    assert process.communicate()[0] == "ended\n"
