"""One run measures at a time, and a dead owner holds nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.run import lock

HOLDER = (
    "import sys, time, pathlib; from joulemark.suite.run import lock\n"
    "with lock.hold('run-1', pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_is_refused_and_told_by_whom(tmp_path, holder):
    with pytest.raises(UsageError, match=rf"run-1 \(process {holder.pid}\)"), lock.hold("run-2", tmp_path / "lock"):
        pass


def test_a_killed_owner_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    with lock.hold("run-2", tmp_path / "lock"):
        pass


def test_it_is_free_again_afterwards(tmp_path):
    for name in ("run-1", "run-2"):
        with lock.hold(name, tmp_path / "lock"):
            pass


def test_another_user_may_take_it_too(tmp_path):
    """The file of the first user is open to all, whatever the umask."""
    with lock.hold("run-1", tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").stat().st_mode & 0o666 == 0o666


def test_users_with_directories_of_their_own_wait_for_each_other(monkeypatch, tmp_path, holder):
    monkeypatch.setenv("JOULEMARK_LOCK", str(tmp_path / "lock"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "elsewhere"))
    with pytest.raises(UsageError, match="run-1"), lock.hold("run-2"):
        pass


def test_the_place_is_the_same_for_all():
    assert str(lock.DEFAULT) == "/tmp/joulemark.lock"
