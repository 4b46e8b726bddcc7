"""The summary of a run: its table, charts, totals, idle power, sensors, failures and notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from joulemark.suite import units
from joulemark.suite.energy.components import channel_label
from joulemark.suite.energy.idle import idle_power_rows
from joulemark.suite.energy.totals import run_totals
from joulemark.suite.records import Case, RunFile, Trial
from joulemark.suite.results.intensity_kind import intensity_kind
from joulemark.suite.results.table import ESTIMATED, Cell, table
from joulemark.suite.terminal.console import OUT, print_text
from joulemark.suite.terminal.notices import notice_lines
from joulemark.suite.terminal.overview import overview
from joulemark.suite.terminal.tables import AdaptiveTable, Column

COLUMNS: Final = (
    "throughput", "step_time_s", "energy_per_item_j", "power_w", "emissions_g_per_1000_items",
    "actual_g_per_1000_items", "sci_g_per_1000_items",
)  # fmt: skip
"""Columns of the table that fit a terminal, for a run that has them; the page has all."""

PIPED_CHART_WIDTH: Final = 100


def print_run(run_file: RunFile) -> None:
    """Print the summary of a run on standard output."""
    print_text(
        _head(run_file),
        _cases(run_file),
        *_charts(run_file),
        *_totals(run_file),
        *_idle_power(run_file),
        *_sensors(run_file),
        *_external_tracker(run_file),
        *_failures(run_file),
        *notice_lines(run_file),
    )


def total_prefix(estimated: bool, lower_bound: bool) -> str:
    """Return the words in front of a total that is estimated or a lower bound."""
    return ("at least " if lower_bound else "") + ("about " if estimated else "")


def _head(run_file: RunFile) -> Text:
    run, machine, emissions = run_file.run, run_file.machine, run_file.emissions
    versions = ", ".join(
        f"{name} {info.version}{' (broken)' if info.broken_reason else ''}" for name, info in machine.frameworks.items()
    )
    gpus = f", {', '.join(gpu.name for gpu in machine.gpus)}" if machine.gpus else ""
    state = "complete" if run.complete else "NOT COMPLETE"
    if lost := sum(len(_lost_trials(case)) for case in run_file.cases):
        state += f", {units.counted(lost, 'trial')} lost"
    intensity = emissions.intensity
    place = f"{intensity.zone or intensity.source}; {intensity_kind(intensity).key}"
    lines = [
        f"{run.id}  {run.profile}, {units.counted(run.rounds, 'round')}, {state}",
        f"{machine.cpu.model}, {machine.cpu.usable_cores:g} cores{gpus}; {versions}",
        f"{intensity.g_per_kwh:g} g/kWh ({place}), PUE {emissions.pue.value:g}",
    ]
    return Text("\n".join(lines) + "\n")


def _cases(run_file: RunFile) -> AdaptiveTable:
    run_table = table(run_file)
    columns = [column for key in COLUMNS for column in run_table.columns if column.key == key]
    cells = {column.key: [row.cells[column.key] for row in run_table.rows] for column in columns}
    titles = ("\n".join((column.title, column.unit, *_bracket_titles(cells[column.key]))) for column in columns)
    shown = AdaptiveTable("Case", *(Column(title, right=True) for title in titles), Column("n", right=True))
    for row in run_table.rows:
        if row.status == "ok":
            shown_cells = (row.cells[column.key] for column in columns)
            values = (f"{cell.mark}{cell.text}\n{cell.interval}".rstrip("\n") for cell in shown_cells)
            shown.add(row.case.id, *values, str(row.cells["throughput"].n))
        else:
            shown.add(Text(row.case.id, style="dim"), Text(row.status, style="red"))
    return shown


def _bracket_titles(cells: Sequence[Cell]) -> list[str]:
    """Return what the brackets in a column hold: an interval between trials, or the error range of an estimate."""
    estimated = [cell.error_range is not None for cell in cells if cell.value is not None]
    titles = [] if estimated and all(estimated) else ["[95 %]"]
    return [*titles, "~ (may be off by)"] if any(estimated) else titles


def _charts(run_file: RunFile) -> list[Text]:
    """Return charts as wide as the terminal; in ASCII if output is piped or without colour."""
    blocks = OUT.is_terminal and not OUT.no_color and OUT.encoding.startswith("utf")
    lines = overview(run_file, OUT.width if OUT.is_terminal else PIPED_CHART_WIDTH, ascii=not blocks)
    return [Text("\n".join(lines))] if lines else []


def _totals(run_file: RunFile) -> list[Text]:
    """Return energy and emissions of the whole run; empty if no sensor covered it."""
    totals = run_totals(run_file)
    run = totals.run
    if run.energy_j is None:
        return []
    prefix = total_prefix(run.kind == "model", run.lower_bound)
    energy, grams = units.quantity(run.energy_j, "J"), units.quantity(run.emissions_g, "g")
    line = f"Whole run, including time outside the windows: {prefix}{energy}, {grams} CO2e"
    line += f" in {units.duration(run.duration_s)}"
    if totals.psf != 1:
        line += f"; x PSF {totals.psf:g}: {units.quantity(totals.projected.emissions_g, 'g')}"
    return [Text(f"\n{line}.")]


def _idle_power(run_file: RunFile) -> list[Text]:
    """Return the idle power before and after the run, and with a program resident on a GPU."""
    windows: dict[str, list[str]] = {}
    for row in idle_power_rows(run_file):
        # Without a GPU there is no device for a program to be resident on.
        if row.when == "resident" and not run_file.machine.gpus:
            continue
        mark, digits = (ESTIMATED, 2) if row.kind == "model" else ("", 3)
        value = f"not measured ({row.reason})"
        if row.power_w is not None:
            value = mark + units.quantity(row.power_w, "W", digits)
        window = f"resident {row.case.id}" if row.case else row.when
        windows.setdefault(window, []).append(f"{channel_label(row.component, row.scope)} {value}".strip())
    if not windows:
        return []
    return [Text("Idle power: " + "; ".join(f"{name}: {', '.join(values)}" for name, values in windows.items()) + ".")]


def _sensors(run_file: RunFile) -> list[Text]:
    traces = [trace for trace in run_file.traces if trace.cpu_s is not None and len(trace.t_s) > 1]
    if not traces:
        return []
    share = sum((trace.cpu_s or 0.0) / (trace.t_s[-1] - trace.t_s[0]) for trace in traces)
    names = ", ".join(dict.fromkeys(trace.sensor for trace in traces))
    late = units.counted(sum(trace.missed_deadlines for trace in traces), "late read")
    return [Text(f"Sensors: {names}; reading them took {share:.2%} of one core; {late}.")]


def _external_tracker(run_file: RunFile) -> list[Text]:
    tracker = run_file.second_opinion
    if tracker is None:
        return []
    title = f"\nExternal tracker ({tracker.tool} {tracker.version}".rstrip() + ")"
    if tracker.reason is not None:
        return [Text(f"{title}: no result, {tracker.reason}.")]
    parts = ", ".join(f"{part} {units.quantity(value, 'J')}" for part, value in tracker.energy_j.items())
    duration = units.duration(tracker.window_s[1] - tracker.window_s[0])
    return [Text("\n".join([f"{title}, whole run ({duration}): {parts}.", *(f"  {d}" for d in tracker.differences)]))]


def _failures(run_file: RunFile) -> list[Text]:
    """Return one line per failed or skipped case, and per lost trial of the other cases."""
    return [
        Text(f"{case.status}  {case.id}: {case.reason}", style="red" if case.status == "failed" else "dim")
        for case in run_file.cases
        if case.status != "ok"
    ] + [
        Text(f"lost  {case.id}, round {trial.round}: {trial.reason}", style="red")
        for case in run_file.cases
        for trial in _lost_trials(case)
    ]


def _lost_trials(case: Case) -> list[Trial]:
    """Return the failed trials of a case that has others."""
    return [trial for trial in case.trials if trial.status != "ok"] if case.status == "ok" else []
