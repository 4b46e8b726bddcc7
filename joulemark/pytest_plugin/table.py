"""Two more columns in pytest-benchmark's table: joules and grams per call.

The table has no hook for columns, so they are appended to its lines as it writes them.
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

Benchmark = Mapping[str, Any]
"""A row of the table, as pytest-benchmark's hooks pass it."""


class TablePlugin:
    """Widen the table if any benchmark of the session has energy."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, config: pytest.Config) -> None:
        """Wrap the display of the table, before pytest-benchmark's own implementation calls it."""
        session: Any = config._benchmarksession
        infos = [
            _extra_info(session, benchmark)
            for _, benchmarks in session.groups or ()
            for benchmark in sorted(benchmarks, key=itemgetter(session.sort))  # the order of the table
        ]
        if any(_amount(info, key) for info in infos for key, _ in QUANTITIES):
            display = session.display
            session.display = lambda reporter: display(WideReporter(reporter, infos))


class WideReporter:
    """A terminal reporter that appends the columns to the lines of the table, and passes everything else on."""

    def __init__(self, reporter: Any, infos: Sequence[Mapping[str, Any]]) -> None:
        """Write to `reporter`; `infos` are the `extra_info` of the rows, in order."""
        self._reporter = reporter
        columns = [_column(key, unit, infos) for key, unit in QUANTITIES]
        self._header = "".join(cells[0] for cells in columns)
        self._rows: Iterator[str] = iter(["".join(cells) for cells in zip(*(c[1:] for c in columns), strict=True)])
        self._in_row = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reporter, name)

    def write(self, content: str, **markup: Any) -> None:
        """Write a part of a row: a line break after its other parts ends the row."""
        if content == "\n" and self._in_row:
            self._in_row = False
            self._reporter.write(next(self._rows, ""))
        elif content != "\n":
            self._in_row = True
        self._reporter.write(content, **markup)

    def write_line(self, line: str, **markup: Any) -> None:
        """Write a title, header, rule or legend."""
        if line.startswith("Name (time in"):
            line += self._header
        elif line.startswith("-") and line.endswith("-"):
            line += "-" * len(self._header)
        self._reporter.write_line(line, **markup)


def amount_text(amount: Mapping[str, Any] | None, factor: float) -> str:
    """Return the value over `factor`, after `~` for an estimate and `≥` for a missing component."""
    if amount is None or amount.get("value") is None:
        return UNKNOWN
    mark = ("≥" if amount.get("lower_bound") else "") + ("~" if amount.get("kind") == "model" else "")
    value = amount["value"] / factor
    places = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{mark}{value:,.{places}f}"


def si_prefix(values: Sequence[float]) -> tuple[float, str]:
    """Return the factor and the letter of the SI prefix that fits the median of `values`."""
    magnitudes = sorted(abs(value) for value in values if value)
    if not magnitudes:
        return 1.0, ""
    power = 3 * math.floor(math.log10(magnitudes[len(magnitudes) // 2]) / 3)
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return 10.0**power, _PREFIXES[power]


def _column(key: str, unit: str, infos: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the header and the cells of a column, all of one width."""
    amounts = [_amount(info, key) for info in infos]
    factor, letter = si_prefix([amount["value"] for amount in amounts if amount and amount.get("value")])
    cells = [f"{letter}{unit}", *(amount_text(amount, factor) for amount in amounts)]
    width = max(map(len, cells)) + 2
    return [cell.rjust(width) for cell in cells]


def _amount(info: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    amount = info.get(key)
    return amount if isinstance(amount, Mapping) else None


def _extra_info(session: Any, benchmark: Benchmark) -> Mapping[str, Any]:
    """Return `extra_info` of a row; for a row of a saved run, that of the saved run."""
    if benchmark.get("path") is None:
        return dict(benchmark["extra_info"])
    for path, saved in session.compared_mapping.items():
        if str(path) == benchmark["path"]:
            return dict(saved[benchmark["fullname"]].get("extra_info", {}))
    return {}
