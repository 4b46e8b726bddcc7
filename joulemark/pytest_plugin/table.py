"""Two more columns in pytest-benchmark's table: joules and grams a call.

Its table has no place for columns of others, so that they are put at the end of its lines as it writes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import pytest

QUANTITIES = (("energy_j", "J/call"), ("emissions_g", "g CO2e/call"))
"""Keys of `extra_info`, and the units of their columns."""
UNKNOWN = "not measured"
_PREFIXES = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M"}

Bench = Mapping[str, Any]
"""A line of the table, as pytest-benchmark's hooks hand it round."""


class Columns:
    """Widens the table of a session in which any benchmark carries joules."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, config: pytest.Config) -> None:
        """Before pytest-benchmark's own implementation shows the table."""
        session: Any = config._benchmarksession
        if not session.groups:
            return
        rows = [(bench, _info(session, bench)) for _, benches in session.groups for bench in _sorted(benches, session)]
        if not any(_amount(info, key) for _, info in rows for key, _ in QUANTITIES):
            return
        show = session.display
        session.display = lambda reporter: show(Widened(reporter, [info for _, info in rows]))


class Widened:
    """A terminal reporter that adds cells to each line of the table, and hands all else on."""

    def __init__(self, reporter: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        self._reporter = reporter
        columns = [_column(key, unit, rows) for key, unit in QUANTITIES]
        self._heads = "".join(cells[0] for cells in columns)
        self._rows: Iterator[str] = iter(["".join(cells) for cells in zip(*(c[1:] for c in columns), strict=True)])
        self._in_row = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)

    def write(self, content: str, **markup: Any) -> None:
        """A part of a row: its line begins with the name and ends with a part of its own."""
        if content == "\n" and self._in_row:
            self._in_row = False
            self._reporter.write(next(self._rows, ""))
        elif content != "\n":
            self._in_row = True
        self._reporter.write(content, **markup)

    def write_line(self, line: str, **markup: Any) -> None:
        """Title, heads, rules and legend."""
        if line.startswith("Name (time in"):
            line += self._heads
        elif line.startswith("-") and line.endswith("-"):
            line += "-" * len(self._heads)
        self._reporter.write_line(line, **markup)


def amount_text(amount: Mapping[str, Any] | None, factor: float) -> str:
    """A value in the unit that `factor` stands for, with `~` for an estimate and `≥` for a part missing."""
    if amount is None or amount.get("value") is None:
        return UNKNOWN
    mark = ("≥" if amount.get("lower_bound") else "") + ("~" if amount.get("kind") == "model" else "")
    value = amount["value"] / factor
    places = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{mark}{value:,.{places}f}"


def prefix(values: Sequence[float]) -> tuple[float, str]:
    """The SI prefix that suits most of `values`: its factor and its letter."""
    sizes = sorted(abs(value) for value in values if value)
    if not sizes:
        return 1.0, ""
    power = 3 * math.floor(math.log10(sizes[len(sizes) // 2]) / 3)
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return 10.0**power, _PREFIXES[power]


def _column(key: str, unit: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Head and cells of a column, all of one width."""
    amounts = [_amount(info, key) for info in rows]
    factor, letter = prefix([amount["value"] for amount in amounts if amount and amount.get("value")])
    cells = [f"{letter}{unit}", *(amount_text(amount, factor) for amount in amounts)]
    width = max(map(len, cells)) + 2
    return [cell.rjust(width) for cell in cells]


def _amount(info: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    found = info.get(key)
    return found if isinstance(found, Mapping) else None


def _sorted(benches: Sequence[Bench], session: Any) -> list[Bench]:
    """In the order in which the table shows them."""
    return sorted(benches, key=itemgetter(session.sort))


def _info(session: Any, bench: Bench) -> Mapping[str, Any]:
    """`extra_info` of a line: of a line from a saved run, that run's."""
    if bench.get("path") is None:
        return dict(bench["extra_info"])
    for path, saved in session.compared_mapping.items():
        if str(path) == bench["path"]:
            return dict(saved[bench["fullname"]].get("extra_info", {}))
    return {}
