"""The tables of docs/gpus.md, from the study's JSON: `python -m studies.gpus_tables docs/results/gpus.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def tables(study: dict[str, Any]) -> str:
    """Return all tables as Markdown."""
    return "\n\n".join((power(study), false_alarms(study)))


def power(study: dict[str, Any]) -> str:
    """Return how often one slow GPU is found, by the number of GPUs, their spread and its slowness."""
    rows = study["one_slow"]
    by = sorted({row["by"] for row in rows})
    lines = []
    for spread in sorted({row["spread"] for row in rows}):
        for gpus in sorted({row["gpus"] for row in rows}):
            own = {row["by"]: row for row in rows if (row["gpus"], row["spread"]) == (gpus, spread)}
            lines.append([f"{spread:.1%}", str(gpus), *(f"{own[share]['power']['rate']:.0%}" for share in by)])
    return _table(["healthy GPUs differ by", "GPUs", *(f"{share:.0%} slow" for share in by)], lines)


def false_alarms(study: dict[str, Any]) -> str:
    """Return how often a healthy GPU is named, at worst over the rows of each column, with the exact upper bound."""
    columns = {
        "all healthy": study["healthy"],
        "some slow": study["some_slow"],
        "healthy, heavy tails": study["heavy"],
    }
    counts = sorted({row["gpus"] for rows in columns.values() for row in rows})
    lines = []
    for gpus in counts:
        cells = []
        for rows in columns.values():
            own = [row["false_alarms"] for row in rows if row["gpus"] == gpus]
            worst = max(own, key=lambda each: float(each["high"]), default=None)
            cells.append(f"{worst['rate']:.1%} (at most {worst['high']:.1%})" if worst else "")
        lines.append([str(gpus), *cells])
    return _table(["GPUs", *columns], lines)


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *lines))


if __name__ == "__main__":
    print(tables(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
