"""What a person sees in a terminal, and the one JSON object that a program gets instead."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.energy.idle import idle_power_rows
from joulemark.suite.energy.totals import run_totals
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, RunFile, Trial, worst
from joulemark.suite.results.intensity_kind import basis
from joulemark.suite.results.table import ESTIMATED, Cell, table
from joulemark.suite.terminal.overview import overview
from joulemark.suite.terminal.tables import Column, Fitted

if TYPE_CHECKING:
    from joulemark.suite.run.run_spec import ProgressListener

COLUMNS = (
    "throughput",
    "step_time_s",
    "energy_per_item_j",
    "power_w",
    "emissions_g_per_1000_items",
    "actual_g_per_1000_items",
    "sci_g_per_1000_items",
)
"""Columns of the table that a terminal has room for, where a run has them; the page has all."""

SCHEMA_VERSION = 1
"""Of the JSON objects other than run files."""

PIPED_WIDTH = 100
"""Characters of a chart that goes to a file or a pipe."""


class Shown(Console):
    """A console that leaves it to `suite.cli.app` to say with what a command ends whose reader has gone."""

    def on_broken_pipe(self) -> None:
        """Rich would exit with 1, which is a regression's."""
        raise BrokenPipeError


OUT = Shown(soft_wrap=False)
ERR = Shown(stderr=True)


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    print(json.dumps({"schema_version": SCHEMA_VERSION, **document}, indent=1))


def say(text: str) -> None:
    """A line for people, on standard error; bytes of a file's name that are no UTF-8 as `\\xff`."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    ERR.print(text, highlight=False, markup=False, soft_wrap=True)


def show(*parts: RenderableType) -> None:
    """Print for people on standard output; plain where it is piped, and clipped nowhere."""
    console = OUT if OUT.is_terminal else Shown(width=200)
    for part in parts:
        console.print(part, highlight=False, crop=False)


@contextlib.contextmanager
def watcher() -> Iterator[ProgressListener]:
    """Shows the progress of a run on standard error."""
    from joulemark.suite.terminal import progress

    with progress.watch(ERR) as shown:
        yield shown


def show_run(run_file: RunFile) -> None:
    """A run: what was measured on what, its table, what failed, and what to mind."""
    show(
        _headline(run_file),
        _run_table(run_file),
        *_charts(run_file),
        *_totals(run_file),
        *_at_rest(run_file),
        *_watching(run_file),
        *_second_opinion(run_file),
        *_failures(run_file),
        *notices(run_file),
    )


def _headline(run_file: RunFile) -> Text:
    run, machine, used = run_file.run, run_file.machine, run_file.emissions
    versions = ", ".join(f"{name} {info.version}" for name, info in machine.frameworks.items())
    boards = f", {', '.join(gpu.name for gpu in machine.gpus)}" if machine.gpus else ""
    place = used.intensity.zone or used.intensity.source
    lost = sum(len(_lost(case)) for case in run_file.cases)
    state = ("complete" if run.complete else "NOT COMPLETE") + (
        f", {units.counted(lost, 'trial')} lost" if lost else ""
    )
    lines = [
        f"{run.id}  {run.profile}, {units.counted(run.rounds, 'round')}, {state}",
        f"{machine.cpu.model}, {machine.cpu.usable_cores:g} cores{boards}; {versions}",
        f"{used.intensity.g_per_kwh:g} g/kWh ({place}; {basis(used.intensity).key}), PUE {used.pue.value:g}",
    ]
    return Text("\n".join(lines) + "\n")


def _run_table(run_file: RunFile) -> Fitted:
    found = table(run_file)
    columns = [column for key in COLUMNS for column in found.columns if column.key == key]
    cells = {column.key: [row.cells[column.key] for row in found.rows] for column in columns}
    numbers = (
        Column("\n".join((column.title, column.unit, *_ends(cells[column.key]))), right=True) for column in columns
    )
    shown = Fitted("Case", *numbers, Column("n", right=True))
    for row in found.rows:
        if row.status == "ok":
            count = row.cells["throughput"].n
            shown.add(row.case.id, *(_cell(row.cells[column.key]) for column in columns), str(count))
        else:
            shown.add(Text(row.case.id, style="dim"), Text(row.status, style="red"))
    return shown


def _ends(cells: Sequence[Cell]) -> list[str]:
    """What the brackets in `cells` hold: between trials, or what an estimate may be off by."""
    estimated = [cell.off is not None for cell in cells if cell.value is not None]
    return ([] if estimated and all(estimated) else ["[95 %]"]) + (["~ (may be off by)"] if any(estimated) else [])


def _charts(run_file: RunFile) -> list[Text]:
    """Small charts, as wide as the terminal; plain characters where colours are not wanted or nobody looks."""
    blocks = OUT.is_terminal and not OUT.no_color and OUT.encoding.startswith("utf")
    lines = overview(run_file, OUT.width if OUT.is_terminal else PIPED_WIDTH, ascii=not blocks)
    return [Text("\n".join(lines))] if lines else []


def _at_rest(run_file: RunFile) -> list[Text]:
    """What the machine drew with nothing running: before, after, and with a program resident on a GPU."""
    found: dict[str, list[str]] = {}
    for draw in idle_power_rows(run_file):
        # Without a GPU there is no device for a program to be resident on.
        if draw.when == "resident" and not run_file.machine.gpus:
            continue
        part = draw.scope if draw.scope.startswith(draw.component) else f"{draw.component} {draw.scope}"
        name = f"resident {draw.case.id}" if draw.case else draw.when
        mark, digits = (ESTIMATED, 2) if draw.kind == "model" else ("", 3)
        value = f"not measured ({draw.reason})"
        if draw.power_w is not None:
            value = mark + units.quantity(draw.power_w, "W", digits)
        found.setdefault(name, []).append(f"{part} {value}".strip())
    if not found:
        return []
    return [Text("At rest: " + "; ".join(f"{name}: {', '.join(said)}" for name, said in found.items()) + ".")]


def _totals(run_file: RunFile) -> list[Text]:
    """What the whole run took, from end to end; nothing where no sensor saw it."""
    totals = run_totals(run_file)
    run, repeated = totals.run, totals.projected
    if run.energy_j is None:
        return []
    mark = hedge(run.kind == "model", run.lower_bound)
    line = f"Whole run, with everything around the windows: {mark}{units.quantity(run.energy_j, 'J')}, "
    line += f"{units.quantity(run.emissions_g, 'g')} CO2e in {units.duration(run.duration_s)}"
    if totals.psf != 1:
        line += f"; x PSF {totals.psf:g}: {units.quantity(repeated.emissions_g, 'g')}"
    return [Text(f"\n{line}.")]


def hedge(estimated: bool, lower_bound: bool) -> str:
    """The words before a total that say what it is worth."""
    return ("at least " if lower_bound else "") + ("about " if estimated else "")


def _cell(cell: Cell) -> str:
    return "\n".join(part for part in (f"{cell.mark}{cell.text}", cell.interval) if part)


def _watching(run_file: RunFile) -> list[Text]:
    """What reading the sensors cost."""
    read = [trace for trace in run_file.traces if trace.cpu_s is not None and len(trace.t_s) > 1]
    if not read:
        return []
    share = sum((trace.cpu_s or 0.0) / (trace.t_s[-1] - trace.t_s[0]) for trace in read)
    names = ", ".join(dict.fromkeys(trace.sensor for trace in read))
    late = sum(trace.missed_deadlines for trace in read)
    return [
        Text(f"Sensors: {names}; reading them took {share:.2%} of one core; {units.counted(late, 'read')} came late.")
    ]


def _second_opinion(run_file: RunFile) -> list[Text]:
    """What the tracker beside the run said, and why it differs from ours."""
    said = run_file.second_opinion
    if said is None:
        return []
    if said.reason is not None:
        return [Text(f"\nSecond opinion: none, {said.reason}.")]
    lines = [f"{part}: {units.quantity(value, 'J')}" for part, value in said.energy_j.items()]
    length = units.duration(said.window_s[1] - said.window_s[0])
    head = f"\nSecond opinion of {said.tool} {said.version} on the whole run ({length}): {', '.join(lines)}."
    return [Text("\n".join([head, *(f"  {text}" for text in said.differences)]))]


def _failures(run_file: RunFile) -> list[Text]:
    """One line for each case without a number, and for each trial that others of its case do without."""
    return [
        Text(f"{case.status}  {case.id}: {case.reason}", style="red" if case.status == "failed" else "dim")
        for case in run_file.cases
        if case.status != "ok"
    ] + [
        Text(f"lost  {case.id}, round {trial.round}: {trial.reason}", style="red")
        for case in run_file.cases
        for trial in _lost(case)
    ]


def _lost(case: Case) -> list[Trial]:
    """Trials that failed, of a case that has others."""
    return [trial for trial in case.trials if trial.status != "ok"] if case.status == "ok" else []


def notices(run_file: RunFile) -> list[Text]:
    """One line for each kind of notice, with the worst of them and the number of other cases it holds for."""
    found: dict[Code, list[tuple[Notice, Case | None]]] = {}
    for notice in run_file.notices:
        found.setdefault(notice.code, []).append((notice, None))
    for case in run_file.cases:
        for notice in case.notices:
            found.setdefault(notice.code, []).append((notice, case))
    lines = [Text("")] if found else []
    for entries in found.values():
        said = worst(notice for notice, _ in entries)
        about = next(case for notice, case in entries if notice is said)
        others = {case.id for _, case in entries if case is not None and case is not about}
        where = f" [{about.id}]" if about else ""
        more = f" And {units.counted(len(others), 'more case')}." if others else ""
        lines.append(Text(f"! {said.message}{where}{more} {said.remedy}", style="yellow"))
    return lines


def workloads_table(document: Mapping[str, Any]) -> Fitted:
    """`joulemark list`."""
    words = (Column(title, wraps=True) for title in ("Family", "Item", "Sizes", "Phases", "Modes"))
    numbers = (Column(f"{title}\n(base)", right=True, wraps=True) for title in ("Parameters", "GFLOP/item"))
    shown = Fitted("Workload", *words, *numbers)
    for workload in document["workloads"]:
        base = workload["sizes"]["base"]
        modes = "; ".join(f"{name}: {' '.join(modes)}" for name, modes in workload["frameworks"].items())
        shown.add(
            workload["name"],
            workload["family"],
            workload["item"],
            " ".join(workload["sizes"]),
            " ".join(workload["phases"]),
            modes,
            f"{base['parameters']:,}" if base["parameters"] else "-",
            " ".join(units.significant(value / 1e9) for value in base["flops_per_item"].values()),
        )
    return shown


def cases_table(document: Mapping[str, Any]) -> Text:
    """`joulemark list --cases` and `joulemark run --dry-run`: one case a line."""
    planned = [case for case in document["cases"] if case["reason"] is None]
    lines = [
        case["id"] if case["reason"] is None else f"{case['id']}  ({case['reason']})" for case in document["cases"]
    ]
    extent = units.extent(len(planned), document["rounds"], document.get("max_rounds"), document["expected_s"])
    return Text("\n".join([*lines, "", f"{extent}."]))


def runs_table(document: Mapping[str, Any]) -> RenderableType:
    """`joulemark list --runs`."""
    if not document["runs"]:
        return Text("No runs are kept yet. `joulemark run` makes one.")
    shown = Fitted("Run", "Profile", "Host", "State", Column("Cases", wraps=True))
    for run in document["runs"]:
        if "error" in run:
            shown.add(run["id"], "", "", Text("unreadable", style="red"), run["error"])
            continue
        counts = ", ".join(f"{count} {status}" for status, count in run["cases"].items() if count)
        lost = run["trials_lost"]
        counts += f", {units.counted(lost, 'trial')} lost" if lost else ""
        state = "complete" if run["complete"] else "not complete"
        shown.add(run["id"], run["profile"], run["hostname"], state, counts)
    return shown
