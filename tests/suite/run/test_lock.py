"""One run measures at a time, a dead owner holds no lock, and no file of anybody's is touched."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest
from lock_holder import OTHER_USER, as_root, end, start_holder

from joulemark.suite.errors import UsageError
from joulemark.suite.run import lock

OPENED_FILES = """
import sys
from joulemark.suite.run import lock
opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
with lock.hold(bytes.fromhex(sys.argv[1])):
    print(opened)
"""


def test_a_second_run_is_refused_and_told_the_first(kind):
    holder = start_holder(kind)
    try:
        with (
            pytest.raises(UsageError, match=rf"process {holder.pid}\b.* is measuring on this machine"),
            lock.hold(kind),
        ):
            pass
    finally:
        end(holder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_dead_owner_holds_no_lock(kind, how):
    end(start_holder(kind), how)
    with lock.hold(kind):
        pass


def test_the_lock_is_free_after_use(kind):
    for _ in range(2):
        with lock.hold(kind):
            pass


def test_the_lock_is_not_inherited_by_children(kind):
    with lock.hold(kind):
        child = subprocess.Popen(["sleep", "600"])
    try:
        with lock.hold(kind):
            pass
    finally:
        end(child)


@as_root
def test_another_users_run_is_waited_for_and_its_owner_told(kind, open_folder):
    holder = start_holder(kind, OTHER_USER)
    try:
        with pytest.raises(UsageError, match=rf"process {holder.pid}\b") as refusal, lock.hold(kind):
            pass
        assert not kind or f"user {OTHER_USER}" in str(refusal.value)
        # Anybody may bind the address first.
        assert not kind or "JOULEMARK_LOCK" in str(refusal.value)
    finally:
        end(holder)


def test_the_machines_lock_is_no_file_that_another_could_stand_in_for(address):
    done = subprocess.run([sys.executable, "-c", OPENED_FILES, address.hex()], stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"[]\n"


@pytest.mark.slow
def test_a_process_that_holds_the_address_and_does_not_answer_is_refused_for(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter:
        squatter.bind(address)
        with (
            pytest.raises(UsageError, match=r"another process is measuring.*ss -xap.*JOULEMARK_LOCK"),
            lock.hold(address),
        ):
            pass


def test_a_process_that_answers_nobody_is_refused_for_at_once(address):
    """Its queue is full: connecting would block."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter, socket.socket(socket.AF_UNIX) as client:
        squatter.bind(address)
        squatter.listen(0)
        client.connect(address)
        with pytest.raises(UsageError, match="is measuring on this machine"), lock.hold(address):
            pass


NO_SOCKET = """
import resource, sys
from joulemark.suite.errors import UsageError
from joulemark.suite.run import lock
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
try:
    with lock.hold():
        pass
except UsageError as error:
    sys.exit(str(error))
"""


@pytest.mark.slow
def test_a_machine_without_sockets_is_one_line(address):
    """A sandbox may forbid them; here there are no descriptors left."""
    done = subprocess.run([sys.executable, "-c", NO_SOCKET], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines() == [
        "cannot lock this machine: Too many open files. Set JOULEMARK_LOCK to a file that is to be the lock."
    ]


def test_the_machines_lock_depends_on_no_folder(address, monkeypatch):
    """Users and jobs of a machine have different temporary directories."""
    holder = start_holder(address)
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    monkeypatch.setenv("HOME", "/nonexistent")
    try:
        with pytest.raises(UsageError, match="is measuring on this machine"), lock.hold(address):
            pass
    finally:
        end(holder)
