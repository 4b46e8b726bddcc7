"""Progress of a run on several nodes: a line for each in a terminal, or each line with its node where it is piped."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from joulemark.suite.cluster.cluster_run import NodesListener
from joulemark.suite.cluster.job_file import Part
from joulemark.suite.system.text import one_line

MAX_ROWS: Final = 24
"""Nodes that have a line of their own on the screen: of more, those that were heard of last."""
WAITING: Final = "waiting until Ray has the node free"
ENDED: Final = {"ok": "finished", "failed": "failed", "interrupted": "interrupted", "waiting": "waiting"}


@contextlib.contextmanager
def show_nodes(console: Console, labels: Mapping[int, str]) -> Iterator[NodesListener]:
    """Yield a listener that shows the progress of the nodes `labels`, by number, on `console`."""
    if not console.is_terminal:
        yield _Lines(console, labels)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _Rows(console, labels, live)


class _Lines:
    """Each line with its node."""

    def __init__(self, console: Console, labels: Mapping[int, str]) -> None:
        self.console, self.labels = console, labels

    def on_line(self, number: int, text: str) -> None:
        """Print the line of a node."""
        self.print_line(f"node {number}: {text}")

    def on_end(self, part: Part) -> None:
        """Print how a part has ended."""
        reason = f": {one_line(part.reason)}" if part.reason else ""
        self.print_line(f"node {part.number} {self.labels.get(part.number, part.host)} {ENDED[part.status]}{reason}")

    def on_stop(self) -> None:
        """Say that the end is awaited."""
        self.print_line("Interrupted: waiting for what the nodes have finished. Ctrl-C again does not wait.")

    def print_line(self, text: str) -> None:
        """Print a line that stays."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


class _Rows(_Lines):
    """A line for each node that is redrawn; only failures stay on the screen."""

    def __init__(self, console: Console, labels: Mapping[int, str], live: Live) -> None:
        super().__init__(console, labels)
        self.live = live
        self.rows = dict.fromkeys(labels, WAITING)
        self.states: dict[int, str] = dict.fromkeys(labels, "running")

    def on_line(self, number: int, text: str) -> None:
        """Show the line of a node."""
        self._show(number, text)

    def on_end(self, part: Part) -> None:
        """Show how a part has ended; a failure stays."""
        self.states[part.number] = ENDED[part.status]
        if part.status != "ok":
            super().on_end(part)
        self._show(part.number, ENDED[part.status])

    def _show(self, number: int, text: str) -> None:
        self.rows.pop(number, None)
        self.rows[number] = text  # the latest is last
        shown = sorted(list(self.rows)[-MAX_ROWS:])
        lines = [
            Text(f"node {each}  {self.labels.get(each, '')}  {self.rows[each]}", overflow="ellipsis", no_wrap=True)
            for each in shown
        ]
        counts = ", ".join(f"{count} {state}" for state, count in sorted(Counter(self.states.values()).items()))
        self.live.update(Group(*lines, Text(counts, style="dim")), refresh=True)
