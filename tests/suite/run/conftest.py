"""Locks of each test's own: somebody may be measuring on this machine."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

import pytest

from joulemark.suite.run import lock


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A machine's lock of this test's own: somebody may be measuring."""
    monkeypatch.delenv(lock.VARIABLE, raising=False)
    return b"\0joulemark-test/" + secrets.token_hex(8).encode()


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that JOULEMARK_LOCK names; there is none yet."""
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path / "lock"))
    return tmp_path / "lock"


@pytest.fixture(params=["address", "file"])
def kind(request: pytest.FixtureRequest) -> bytes:
    """Both kinds of lock: the address of the first, and nothing for the second, which the environment names."""
    value: bytes | Path = request.getfixturevalue(request.param)
    return value if isinstance(value, bytes) else b""


@pytest.fixture
def open_folder(tmp_path: Path) -> None:
    """Let other users reach `tmp_path`, and write there."""
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to(tempfile.gettempdir()) and path != Path(tempfile.gettempdir()):
            path.chmod(0o755)
    tmp_path.chmod(0o777)
