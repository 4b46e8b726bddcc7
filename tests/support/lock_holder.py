"""Processes that hold the lock of a machine, or of a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

OTHER_USER = 54321

HOLDER = """
import os, sys, time
from joulemark.suite.run import lock
if sys.argv[2]:
    os.setuid(int(sys.argv[2]))  # only now: this user may not read the interpreter's folder
with lock.hold(bytes.fromhex(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def command(address: bytes, user: int | str = "") -> list[str]:
    return [sys.executable, "-c", HOLDER, address.hex(), str(user)]


def start_holder(address: bytes, user: int | str = "") -> subprocess.Popen[str]:
    """Start a process that holds the lock, and wait until it does."""
    process = subprocess.Popen(command(address, user), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(how)
    process.communicate()
