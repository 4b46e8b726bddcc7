"""Markdown for a pull request and for $GITHUB_STEP_SUMMARY: the report's own, kept to what a comment may hold."""

from __future__ import annotations

from typing import Final

from reports.markdown import render_markdown
from suite.results.records import RunFile

MAX_BYTES: Final = 65_000
"""GitHub takes 65,536 characters in a comment; a step's summary may be 1 MiB
(https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary)."""


def render(run_file: RunFile) -> str:
    """The summary; of a table that is too long for a comment, the first rows and how many are left out."""
    text = render_markdown([run_file])
    size = len(text.encode())
    if size <= MAX_BYTES:
        return text
    lines = text.split("\n")
    rows = [i for i, line in enumerate(lines) if line.startswith("| ")][2:]
    dropped: list[int] = []
    while rows and size > MAX_BYTES - 200:
        dropped.append(rows.pop())
        size -= len(lines[dropped[-1]].encode()) + 1
    if not dropped:
        return text
    said = f"\n{len(dropped)} more cases are left out here, to stay within the length of a comment."
    kept = [line for i, line in enumerate(lines) if i not in set(dropped)]
    kept.insert(min(dropped), said)
    return "\n".join(kept)
