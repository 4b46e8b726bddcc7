"""docs/workloads.md is what the specs say."""

from __future__ import annotations

from pathlib import Path

from workloads.document import document
from workloads.registry import workloads

PAGE = Path(__file__).parents[2] / "docs" / "workloads.md"


def test_page_is_current() -> None:
    assert PAGE.read_text() == document(), "run: python -m workloads.document > docs/workloads.md"


def test_no_workload_is_missing() -> None:
    page = document()
    for workload in workloads().values():
        assert f"| {workload.id} |" in page
        assert f"- **{workload.id}**: {workload.title}" in page
