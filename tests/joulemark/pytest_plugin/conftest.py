"""A project of somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
from scratch_project import make


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose packages are called as ours are, with one benchmark."""
    return make(tmp_path)
