"""The table of docs/audit.md, from the mutants and the kept results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studies.mutants.definitions import Mutant

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "results" / "mutants.json"
PAGE = DOCS / "audit.md"
BEGIN, END = "<!-- mutants: written by python -m studies.mutants -->\n", "<!-- end of mutants -->\n"


def table(mutants: Mapping[str, Mutant], results: Mapping[str, Any]) -> str:
    """Return the section as Markdown."""
    rows = results["mutants"]
    counts = Counter(rows[name]["outcome"] if name in rows else "not run" for name in mutants)
    total_s = sum(row["s"] for row in rows.values())
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    return "\n".join(
        [
            f"{results['finished']}, Python {results['python']}, {versions}: **{len(mutants)} faults, "
            f"{', '.join(f'{count} {outcome}' for outcome, count in sorted(counts.items()))}; "
            f"{total_s / 60:.0f} minutes of tests, two at a time.**",
            "",
            "| fault | workload | side | test that failed |",
            "|---|---|---|---|",
            *(_row(mutant, rows.get(name)) for name, mutant in mutants.items()),
            "",
        ]
    )


def _row(mutant: Mutant, row: Mapping[str, Any] | None) -> str:
    where = f"`{mutant.workload}`" if mutant.workload else "all"
    outcome = (
        "not run" if row is None else f"**{row['outcome']}**" if row["outcome"] != "killed" else _test(row["test"])
    )
    return f"| {mutant.fault} | {where} | {mutant.side} | {outcome} |"


def _test(identifier: str) -> str:
    """Return a test's id in short: its file and its parameters, or its name where it has none."""
    file, _, name = identifier.partition("::")
    function, bracket, parameters = name.partition("[")
    return f"`{Path(file).stem.removeprefix('test_')}` {parameters[:-1] if bracket else function}"


def parts(text: str) -> Iterator[str]:
    """Yield the page before the table, the table, and the page after it."""
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    yield from (before, inside, after)


def write(mutants: Mapping[str, Mutant], results: Mapping[str, Any]) -> None:
    """Write the table into the page."""
    before, _, after = parts(PAGE.read_text())
    PAGE.write_text(before + BEGIN + table(mutants, results) + END + after)
