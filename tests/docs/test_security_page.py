"""docs/security.md: each threat names tests, and they exist."""

from __future__ import annotations

import ast
import re

import pytest
from places import DOCS, ROOT

PAGE = (DOCS / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.partition("## Threats")[2].splitlines() if line.startswith("| ")][1:]
TESTS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_a_named_test_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_threat_has_a_test() -> None:
    assert len(ROWS) > 15
    for row in ROWS:
        assert "`tests/" in row.split(" | ")[2], row


def test_the_page_is_linked() -> None:
    assert "docs/security.md" in (ROOT / "README.md").read_text(encoding="utf-8")
