"""The runs of a report: facts, sensors, idle power, totals, and the embedded run file."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass

from joulemark.reports.data_table import DataTable, TableValue, data_table
from joulemark.reports.embedded_run import MAX_POINTS, packed
from joulemark.reports.model.run_facts import (
    Facts,
    environment_facts,
    intensity_provenance,
    provenance_facts,
    system_facts,
)
from joulemark.suite import units
from joulemark.suite.energy.components import channel_label
from joulemark.suite.energy.idle_table import IdleTable, IdleValue, idle_table
from joulemark.suite.energy.totals import RunTotals, Total, run_totals
from joulemark.suite.energy.whole_machine.calibrated_gain import calibration_text
from joulemark.suite.energy.whole_machine.share import share_of_run
from joulemark.suite.records import Channel, RunFile
from joulemark.suite.results.intensity_kind import IntensityKind, intensity_kind
from joulemark.suite.results.table import ESTIMATED

_IDLE_STATES = {"before": "before the run", "after": "after the run", "resident": "with a program resident on a GPU"}


@dataclass(frozen=True)
class RunView:
    """One run, as the report shows it."""

    label: str
    file: RunFile
    system: Facts
    """What was measured on what, in a few words."""
    environment: tuple[tuple[str, Facts], ...]
    """Everything that can affect a number, in named groups."""
    provenance: Facts
    sensors: DataTable
    idle: DataTable
    """Idle power before and after the run, and with the program of each case resident on its GPU."""
    idle_notes: str
    """What of it was not measured, or is weak; empty for nothing."""
    command: str
    intensity_kind: IntensityKind
    intensity_provenance: str
    """Where the carbon intensity comes from."""
    totals: RunTotals
    total: str
    """What the run used from its first sensor read to its last, and that times PSF if PSF is not 1."""
    node: str
    """Which share of the whole node was measured; empty where no sensor measured that."""
    packed: str
    """The run file with thinned traces: gzip in base64."""
    embedded_note: str
    """Whether the embedded run file is complete."""

    @property
    def system_by_term(self) -> dict[str, str]:
        """`system` as a mapping."""
        return dict(self.system)


def run_view(label: str, file: RunFile, anonymous: bool) -> RunView:
    """Return the view of the run `file`."""
    totals, idle = run_totals(file), idle_table(file)
    return RunView(
        label=label,
        file=file,
        system=system_facts(file),
        environment=environment_facts(file, anonymous),
        provenance=provenance_facts(file),
        sensors=_sensor_table(file),
        idle=_idle_table(idle),
        idle_notes=_idle_notes(idle),
        command=shlex.join(file.run.command),
        intensity_kind=intensity_kind(file.emissions.intensity),
        intensity_provenance=intensity_provenance(file.emissions),
        totals=totals,
        total=_total_text(totals.run, totals.psf),
        node="" if (share := share_of_run(file)) is None else share.text(),
        packed=packed(file),
        embedded_note=_embedded_note(file),
    )


def _sensor_table(file: RunFile) -> DataTable:
    rows: list[list[TableValue]] = []
    for trace in file.traces:
        length_s = trace.t_s[-1] - trace.t_s[0] if len(trace.t_s) > 1 else 0.0
        for channel in trace.channels:
            rows.append(
                [
                    channel_label(channel.component, channel.scope),
                    trace.sensor + (" (simulated)" if trace.simulated else ""),
                    channel.kind,
                    round((len(trace.t_s) - 1) / length_s, 3) if length_s else "unknown",
                    channel.tick_s if channel.tick_s is not None else "not probed",
                    _gain_text(channel),
                    trace.read_cost_s if trace.read_cost_s is not None else "unknown",
                    channel.source or "not named",
                ]
            )
    head = ("channel", "sensor", "kind", "reads per second", "update period, s", "true / reported", "read cost, s")
    return data_table((*head, "source"), rows)


def _gain_text(channel: Channel) -> str:
    """Return the limits of true over reported, and those by the calibration record, or why that is not used."""
    own = f"{channel.gain[0]:g} to {channel.gain[1]:g}"
    return own if channel.calibration is None else f"{own}; {calibration_text(channel, channel.calibration)}"


def _idle_table(table: IdleTable) -> DataTable:
    """Return a row for each idle window, with a column for each component that was measured in any."""
    rows = []
    for row in table.rows:
        values = [row.values.get(label) for label in table.components]
        state = row.case.id if row.case else _IDLE_STATES[row.when]
        rows.append((state, *(None if value is None else _watts(value) for value in values), round(row.length_s, 3)))
    return data_table(("state", *(f"{label}, W" for label in table.components), "seconds"), rows)


def _idle_notes(table: IdleTable) -> str:
    """Return what was not measured, and what weakens values, each with its number of windows; empty for nothing."""
    weak = Counter(
        f"{label}: {value.reason}" for row in table.rows for label, value in row.values.items() if value.reason
    )
    notes = [f"{text} ({units.counted(count, 'window')})" for text, count in weak.items()]
    notes += [f"{label} was not measured: {reason}" for label, reason in table.missing.items()]
    if table.no_resident is not None:
        notes.append(f"power {_IDLE_STATES['resident']} was not measured: {table.no_resident}")
    return f"Notes: {'; '.join(notes)}." if notes else ""


def _watts(value: IdleValue) -> TableValue:
    """Return idle power with no more digits than it deserves."""
    if value.power_w is None:
        return None
    if value.kind == "model":
        return f"{ESTIMATED}{units.significant(value.power_w, 2)}"
    return float(f"{value.power_w:.4g}")


def _total_text(total: Total, psf: float) -> str:
    """Return energy, emissions and duration of the whole run; assets/whatif.js recomputes the same text."""
    if total.energy_j is None or total.facility_energy_j is None or total.emissions_g is None:
        return f"not measured: {total.reason}"
    bound = "at least " if total.lower_bound else ""
    estimated = ", estimated" if total.kind == "model" else ""
    once, scaled = (
        f"{units.kwh(total.facility_energy_j) * factor:.4g} kWh, {total.emissions_g * factor:.4g} g CO₂e"
        for factor in (1, psf)
    )
    psf_text = "" if psf == 1 else f"; times PSF {psf:g}: {scaled}"
    return f"{bound}{once}{estimated} ({units.duration(total.duration_s)}){psf_text}"


def _embedded_note(file: RunFile) -> str:
    points = max((len(trace.t_s) for trace in file.traces), default=0)
    if points <= MAX_POINTS:
        return "The complete run file is embedded in this page; the button saves it."
    return (
        f"The run file is embedded in this page; the button saves it. Its power traces are thinned from up to "
        f"{points:,} to {MAX_POINTS:,} points per channel (minimum and maximum of each stretch); everything else is "
        "complete."
    )
