"""One run measures at a time, and a dead owner holds no lock."""

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


def test_a_second_run_is_refused_and_told_the_first(tmp_path, holder):
    with pytest.raises(UsageError, match=rf"run-1 \(process {holder.pid}\)"), lock.hold("run-2", tmp_path / "lock"):
        pass


def test_a_killed_owner_holds_no_lock(tmp_path, holder):
    holder.kill()
    holder.wait()
    with lock.hold("run-2", tmp_path / "lock"):
        pass


def test_the_lock_is_free_after_use(tmp_path):
    for name in ("run-1", "run-2"):
        with lock.hold(name, tmp_path / "lock"):
            pass


def test_the_lock_file_is_open_to_all_users(tmp_path):
    """Whatever the umask of the first one."""
    with lock.hold("run-1", tmp_path / "lock"):
        pass
    assert (tmp_path / "lock").stat().st_mode & 0o666 == 0o666


def test_users_with_different_temporary_directories_share_the_lock(monkeypatch, tmp_path, holder):
    monkeypatch.setenv("JOULEMARK_LOCK", str(tmp_path / "lock"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "elsewhere"))
    with pytest.raises(UsageError, match="run-1"), lock.hold("run-2"):
        pass


def test_the_default_path_does_not_depend_on_the_environment():
    assert str(lock.DEFAULT) == "/tmp/joulemark.lock"
