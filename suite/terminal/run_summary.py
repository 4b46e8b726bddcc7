"""The summary of a run: its table, charts, totals, idle power, sensors, failures and notices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from joulemark.suite import units
from joulemark.suite.energy.totals import run_totals
from joulemark.suite.records import Case, RunFile, Trial
from joulemark.suite.results.intensity_kind import intensity_kind
from joulemark.suite.results.roofline import limits, share
from joulemark.suite.results.table import Cell, table
from joulemark.suite.stats.work_counts.step_counts import step_counts
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import OUT, print_text
from joulemark.suite.terminal.gpus import gpu_tables
from joulemark.suite.terminal.notices import notice_lines
from joulemark.suite.terminal.overview import overview
from joulemark.suite.terminal.power_summary import energy_line, idle_power_line, node_lines
from joulemark.suite.terminal.ranks import ranks_table
from joulemark.suite.terminal.responses import response_table
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
        *response_table(run_file),
        *ranks_table(run_file),
        *gpu_tables(run_file),
        *_charts(run_file),
        *_power(run_file),
        *_limits(run_file),
        *_work(run_file),
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
        f"{run.id}  {one_line(run.profile)}, {units.counted(run.rounds, 'round')}, {state}",
        one_line(f"{machine.cpu.model}, {machine.cpu.usable_cores:g} cores{gpus}; {versions}"),
        one_line(f"{intensity.g_per_kwh:g} g/kWh ({place}), PUE {emissions.pue.value:g}"),
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
            shown.add(one_line(row.case.id), *values, str(row.cells["throughput"].n))
        else:
            shown.add(Text(one_line(row.case.id), style="dim"), Text(row.status, style="red"))
    return shown


def _bracket_titles(cells: Sequence[Cell]) -> list[str]:
    """Return what the brackets in a column hold: an interval between trials, or the error range of an estimate."""
    brackets = {cell.interval[0] for cell in cells if cell.interval}
    return [title for title in ("[95 %]", "~ (may be off by)") if brackets & set(title)]


def _charts(run_file: RunFile) -> list[Text]:
    """Return charts as wide as the terminal; in ASCII if output is piped or without colour."""
    blocks = OUT.is_terminal and not OUT.no_color and OUT.encoding.startswith("utf")
    lines = overview(run_file, OUT.width if OUT.is_terminal else PIPED_CHART_WIDTH, ascii=not blocks)
    return [Text("\n".join(lines))] if lines else []


def _power(run_file: RunFile) -> list[Text]:
    """Return the totals, where the energy comes from, the share of the node, and idle power, below a blank line."""
    lines = [*_totals(run_file), *energy_line(run_file), *node_lines(run_file), *idle_power_line(run_file)]
    return [Text(""), *lines] if lines else []


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
    return [Text(f"{line}.")]


def _limits(run_file: RunFile) -> list[Text]:
    """Return how many cases memory or arithmetic limits; empty for a run without probes."""
    shares = [of_case for case in run_file.cases if (of_case := share(case, run_file.probes)) is not None]
    return [Text(f"Roofline: {limits(shares)}.")] if shares else []


def _work(run_file: RunFile) -> list[Text]:
    """Return in how many cases the work of a step was counted, and what was not; empty if nothing was counted."""
    counted = {case.id: counts for case in run_file.cases if (counts := step_counts(case))}
    works = [(case, trial.work) for case in run_file.cases for trial in case.ok_trials if trial.work is not None]
    lines = [f"{case.id}: {work.reason}" for case, work in works if work.reason is not None]
    lines += [
        f"{case_id}: {count.kind.title}: {count.reason}"
        for case_id, counts in counted.items()
        for count in counts.values()
        if count.reason is not None and count.values
    ]
    if not counted and not lines:
        return []
    head = f"Work of a step: counted in {units.counted(len(counted), 'case')}; `joulemark compare` shows what changed."
    return [Text("\n".join([head, *(f"  {one_line(line)}" for line in dict.fromkeys(lines))]))]


def _external_tracker(run_file: RunFile) -> list[Text]:
    tracker = run_file.second_opinion
    if tracker is None:
        return []
    title = "\n" + one_line(f"External tracker ({tracker.tool} {tracker.version}") + ")"
    if tracker.reason is not None:
        return [Text(f"{title}: no result, {one_line(tracker.reason)}.")]
    parts = ", ".join(f"{part} {units.quantity(value, 'J')}" for part, value in tracker.energy_j.items())
    duration = units.duration(tracker.window_s[1] - tracker.window_s[0])
    differences = (f"  {one_line(difference)}" for difference in tracker.differences)
    return [Text("\n".join([f"{title}, whole run ({duration}): {one_line(parts)}.", *differences]))]


def _failures(run_file: RunFile) -> list[Text]:
    """Return one line per failed or skipped case, and per lost trial of the other cases."""
    return [
        Text(
            f"{case.status}  {one_line(f'{case.id}: {case.reason}')}", style="red" if case.status == "failed" else "dim"
        )
        for case in run_file.cases
        if case.status != "ok"
    ] + [
        Text(f"lost  {one_line(f'{case.id}, round {trial.round}: {trial.reason}')}", style="red")
        for case in run_file.cases
        for trial in _lost_trials(case)
    ]


def _lost_trials(case: Case) -> list[Trial]:
    """Return the failed trials of a case that has others."""
    return [trial for trial in case.trials if trial.status != "ok"] if case.status == "ok" else []
