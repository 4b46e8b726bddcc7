"""Folders of the repository, for tests that read or run what lies in them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
DOCS = ROOT / "docs"
