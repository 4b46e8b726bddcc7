"""Fixtures for tests in a user's project."""

from __future__ import annotations

from pathlib import Path

import pytest
from scratch_project import make


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose packages have the names of joulemark's folders, with one benchmark."""
    return make(tmp_path)
