"""docs/workloads.md is what the specs say."""

from __future__ import annotations

from places import DOCS

from joulemark.workloads.document import document
from joulemark.workloads.registry import workloads

PAGE = DOCS / "workloads.md"


def test_page_is_current() -> None:
    assert PAGE.read_text() == document(), "run: python -m joulemark.workloads.document > docs/workloads.md"


def test_no_workload_is_missing() -> None:
    page = document()
    for workload in workloads().values():
        assert f"| {workload.id} |" in page
        assert f"- **{workload.id}**: {workload.title}" in page
