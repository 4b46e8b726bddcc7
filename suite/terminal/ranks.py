"""The cases of several ranks of a run: efficiency and communication, in a table below that of all cases."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.records import Case, Difference, Efficiency, Quantity, RunFile
from joulemark.suite.results.table import AT_LEAST, ESTIMATED, NOT_MEASURED
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.tables import AdaptiveTable, Column


def ranks_table(run_file: RunFile) -> list[RenderableType]:
    """Return the table, and a line for each case on several GPUs; empty for a run without a strategy."""
    cases = [(case, case.efficiency) for case in run_file.cases if case.efficiency is not None]
    if not cases:
        return []
    shown = AdaptiveTable("Ranks", *(Column(title, right=True) for title in _titles([case for case, _ in cases])))
    for case, efficiency in cases:
        shown.add(one_line(case.id), *_cells(case, efficiency))
    boards = [Text(one_line(line)) for case, _ in cases for line in _boards(case)]
    return [Text(""), shown, *boards]


def _titles(cases: Sequence[Case]) -> tuple[str, ...]:
    strategies = {case.strategy for case in cases if case.strategy}
    of_strategy = f"of {one_line(strategies.pop())}" if len(strategies) == 1 else "of its strategy"
    return (
        "Efficiency vs\nnot distributed\n[95 %]",
        f"vs 1 rank\n{of_strategy}",
        "vs\nranks apart",
        "Exposed\ncommunication",
        "J/item vs\nnot distributed",
        "Whole node\nJ/item",
    )


def _cells(case: Case, efficiency: Efficiency) -> tuple[str, ...]:
    node = case.distributed.node_energy_per_item_j if case.distributed is not None else None
    return (
        percent(efficiency),
        percent(efficiency.of_one_rank),
        percent(efficiency.of_ranks_apart),
        communication(efficiency),
        _energy_ratio(efficiency.energy_ratio),
        _energy(node),
    )


def percent(number: Efficiency | Quantity | Difference) -> str:
    """Return a ratio in per cent, with its interval in a line below."""
    if number.value is None:
        return NOT_MEASURED
    ends = ""
    if number.low is not None and number.high is not None:
        ends = f"\n[{number.low:.1%}, {number.high:.1%}]"
    return f"{number.value:.1%}{ends}"


def communication(efficiency: Efficiency) -> str:
    """Return the exposed communication of a step, and its share of the step."""
    exposed = efficiency.exposed_communication_s
    if exposed.value is None or efficiency.exposed_share.value is None:
        return NOT_MEASURED
    sign = "-" if exposed.value < 0 else ""
    return f"{sign}{units.quantity(abs(exposed.value), 's')},\n{percent(efficiency.exposed_share)}"


def _energy_ratio(ratio: Quantity) -> str:
    mark = ESTIMATED if ratio.kind == "model" and ratio.value is not None else ""
    return f"{mark}{percent(ratio)}"


def _energy(node: Quantity | None) -> str:
    if node is None or node.value is None:
        return NOT_MEASURED
    marks = (AT_LEAST if node.lower_bound else "") + (ESTIMATED if node.kind == "model" else "")
    return f"{marks}{units.quantity(node.value, 'J')}"


def _boards(case: Case) -> list[str]:
    """Return the power of each GPU in a line."""
    boards = case.distributed.boards if case.distributed is not None else ()
    if not boards:
        return []
    powers = (f"{board.device} {units.quantity(board.power_w.value or 0.0, 'W')}" for board in boards)
    return [f"{case.id}: {', '.join(powers)}"]
