"""One run in words: what was measured on what, with what, and how to do it again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from joulemark.reports.model.embedded import packed
from joulemark.reports.model.grid import Grid, Item, grid
from joulemark.reports.model.power import MAX_POINTS
from joulemark.suite import units
from joulemark.suite.energy.components import channel_label
from joulemark.suite.energy.idle import IdlePowerRow, idle_power_rows
from joulemark.suite.energy.totals import RunTotals, Total, run_totals
from joulemark.suite.records import Emissions, FrameworkInfo, Gpu, Machine, RunFile
from joulemark.suite.results.intensity_kind import IntensityKind, intensity_kind
from joulemark.suite.results.table import ESTIMATED
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.units import kwh

Facts = tuple[tuple[str, str], ...]
"""Pairs of a term and its description."""

_STATES = {"before": "before the run", "after": "after the run", "resident": "with a program resident on a GPU"}


@dataclass(frozen=True)
class RunView:
    """One run."""

    label: str
    file: RunFile
    system: Facts
    """What was measured on what, in a few words."""
    environment: tuple[tuple[str, Facts], ...]
    """All of it, in named groups."""
    provenance: Facts
    sensors: Grid
    rest: Grid
    """What it drew at rest: before, after, and with a program resident on its device."""
    command: str
    basis: IntensityKind
    """What kind of carbon intensity its grams rest on."""
    pedigree: str
    """Where the carbon intensity comes from, all that is known of it."""
    totals: RunTotals
    total: str
    """What the run took from its first read of the sensors to the last; times PSF beside it, where that is not 1."""
    packed: str
    """The run file with thinned traces: gzip in base64."""
    embedded: str
    """What was done to it."""

    @property
    def system_by_term(self) -> dict[str, str]:
        """`system` to look up."""
        return dict(self.system)


def run_view(label: str, file: RunFile, anonymous: bool) -> RunView:
    """The run `file`."""
    totals = run_totals(file)
    return RunView(
        label=label,
        file=file,
        system=_system(file),
        environment=_environment(file, anonymous),
        provenance=_provenance(file),
        sensors=_sensors(file),
        rest=_rest(file),
        command=shlex.join(file.run.command),
        basis=intensity_kind(file.emissions.intensity),
        pedigree=_pedigree(file.emissions),
        totals=totals,
        total=_total(totals.run, totals.psf),
        packed=packed(file),
        embedded=_embedded(file),
    )


def _system(file: RunFile) -> Facts:
    machine, emissions = file.machine, file.emissions
    zone = emissions.intensity.zone or ("own value" if emissions.intensity.vintage is None else "world")
    kind = intensity_kind(emissions.intensity)
    gpus = [(f"GPU {gpu.index}", f"{gpu.name}, driver {gpu.driver or 'not known'}") for gpu in machine.gpus]
    frameworks = ", ".join(f"{_title(name)} {info.version}" for name, info in sorted(machine.frameworks.items()))
    return (
        ("When", _moment(file.run.started_at) + ("" if file.run.finished_at else ", not finished")),
        ("Processor", f"{machine.cpu.model}, {machine.cpu.usable_cores:g} cores used"),
        *gpus,
        ("Frameworks", frameworks or "none"),
        ("Grid", f"{zone}, {emissions.intensity.g_per_kwh:g} g CO₂e/kWh {kind.mark} {kind.key}"),
        ("PUE", f"{emissions.pue.value:g}, {emissions.pue.source}"),
        ("Run", f"{file.run.profile}, {file.run.id}"),
    )


def _environment(file: RunFile, anonymous: bool) -> tuple[tuple[str, Facts], ...]:
    machine = file.machine
    host = () if anonymous else (("Host name", machine.hostname),)
    gpus = [(f"GPU {gpu.index} {name}", value) for gpu in machine.gpus for name, value in _gpu(gpu)]
    groups: list[tuple[str, Facts]] = [
        (
            "Machine",
            (
                *host,
                ("Processor", machine.cpu.model),
                ("Cores", _cores(machine)),
                ("Instruction sets", ", ".join(machine.cpu.flags) or "not known"),
                ("Governor", machine.cpu.governor or "not told by the system"),
                *gpus,
                ("Memory", f"{machine.memory_bytes / 2**30:.1f} GiB"),
                ("System", machine.os),
                ("Virtual", machine.virtual or "no, or not known"),
                ("Fingerprint", machine.fingerprint),
            ),
        ),
        ("Frameworks", tuple((_title(name), _build(info)) for name, info in sorted(machine.frameworks.items()))),
        ("Packages", tuple(sorted(machine.packages.items()))),
        ("Variables of the trials", tuple(sorted(file.run.environment.items()))),
        ("Settings", _settings(file)),
    ]
    return tuple((name, facts) for name, facts in groups if facts)


def _settings(file: RunFile) -> Facts:
    """What was asked for: everything that is not at its default."""
    asked = file.settings.model_dump(mode="json", exclude_defaults=True)
    return tuple((name.replace("_", " "), str(value)) for name, value in asked.items())


def _provenance(file: RunFile) -> Facts:
    facts = [
        ("Suite", file.run.suite_version),
        ("Rounds", str(file.run.rounds)),
        ("Order seed", str(file.run.order_seed)),
        ("Run file", f"schema version {file.schema_version}"),
    ]
    if file.second_opinion is not None and file.second_opinion.reason is not None:
        facts.append(("Second opinion", f"none, {file.second_opinion.reason}"))
    return tuple(facts)


def _sensors(file: RunFile) -> Grid:
    head = ("channel", "sensor", "kind", "reads per second", "update, s", "true / shown", "cost of a read, s", "source")
    rows = []
    for trace in file.traces:
        length_s = trace.t_s[-1] - trace.t_s[0] if len(trace.t_s) > 1 else 0.0
        rate = round((len(trace.t_s) - 1) / length_s, 3) if length_s else "not known"
        for channel in trace.channels:
            rows.append(
                (
                    channel_label(channel.component, channel.scope),
                    trace.sensor + (" (simulated)" if trace.simulated else ""),
                    channel.kind,
                    rate,
                    channel.tick_s if channel.tick_s is not None else "not probed",
                    f"{channel.gain[0]:g} to {channel.gain[1]:g}",
                    trace.read_cost_s if trace.read_cost_s is not None else "not known",
                    channel.source or "not named",
                )
            )
    return grid(head, rows)


def _rest(file: RunFile) -> Grid:
    rows = [
        (
            f"{draw.case.id} resident" if draw.case else _STATES[draw.when],
            channel_label(draw.component, draw.scope),
            _watts(draw),
            round(draw.length_s, 3) if draw.length_s else "no window",
            draw.kind,
            draw.reason or "",
        )
        for draw in idle_power_rows(file)
        # Without a GPU there is no device for a program to be resident on.
        if draw.when != "resident" or file.machine.gpus
    ]
    return grid(("state", "component", "watts", "seconds", "kind", "note"), rows)


def _watts(draw: IdlePowerRow) -> Item:
    """Power at rest; of a model no more digits than it is worth."""
    if draw.power_w is None or draw.kind != "model":
        return draw.power_w
    return f"{ESTIMATED}{units.significant(draw.power_w, 2)}"



def _pedigree(used: Emissions) -> str:
    found = used.intensity
    words = [f"{found.g_per_kwh:g} g/kWh", found.source]
    words += [found.zone] if found.zone else []
    words += [str(found.vintage)] if found.vintage is not None and str(found.vintage) not in found.source else []
    words += [f"interval from {found.interval_start}"] if found.interval_start else []
    words += [f"retrieved {found.retrieved_at}"] if found.retrieved_at else []
    words += [name for name in (found.basis, found.signal) if name != "unknown"]
    words += ["estimated by the source"] if found.is_estimated else []
    words += [f"not the source first asked: {found.reason}"] if found.fallback and found.reason else []
    ends = [f"{end:g}" if end is not None else "not known" for end in (found.low, found.high)]
    words.append(f"range {ends[0]} to {ends[1]} g/kWh" if set(ends) != {"not known"} else "its range is not known")
    return ", ".join(dict.fromkeys(words))


def _total(found: Total, psf: float) -> str:
    if found.energy_j is None or found.facility_energy_j is None or found.emissions_g is None:
        return f"not measured: {found.reason}"
    least = "at least " if found.lower_bound else ""
    guess = ", estimated" if found.kind == "model" else ""
    once, often = (
        f"{kwh(found.facility_energy_j) * times:.4g} kWh, {found.emissions_g * times:.4g} g CO₂e" for times in (1, psf)
    )
    repeated = "" if psf == 1 else f"; times PSF {psf:g}: {often}"
    return f"{least}{once}{guess} ({units.duration(found.duration_s)}){repeated}"


def _embedded(file: RunFile) -> str:
    most = max((len(trace.t_s) for trace in file.traces), default=0)
    if most <= MAX_POINTS:
        return "The whole run file is in this page; the button saves it."
    return (
        f"The run file is in this page; the button saves it. Its power traces are thinned from up to {most:,} to "
        f"{MAX_POINTS:,} points a channel (of each stretch the lowest and the highest); everything else is whole."
    )


def _moment(iso: str) -> str:
    """`2026-11-01T12:00:00Z` -> `2026-11-01 12:00 UTC`."""
    return iso.replace("T", " ")[:16] + " UTC"


def _title(framework: str) -> str:
    return FRAMEWORKS[framework].title if framework in FRAMEWORKS else framework


def _cores(machine: Machine) -> str:
    physical = machine.cpu.physical_cores if machine.cpu.physical_cores is not None else "not known"
    return f"{physical} physical, {machine.cpu.logical_cores} logical, {machine.cpu.usable_cores:g} usable"


def _gpu(gpu: Gpu) -> Facts:
    memory = f"{gpu.memory_bytes / 2**30:.0f} GiB" if gpu.memory_bytes is not None else "not known"
    limit = units.quantity(gpu.power_limit_w, "W") if gpu.power_limit_w is not None else "not known"
    return (
        ("name", f"{gpu.name}{', split (MIG)' if gpu.mig else ''}"),
        ("driver", gpu.driver or "not known"),
        ("memory", memory),
        ("power limit", limit),
        ("device", gpu.device or "not visible to the frameworks"),
    )


def _build(info: FrameworkInfo) -> str:
    return f"{info.version}, {info.build or 'build not known'}, Python {info.python}, on {', '.join(info.devices)}"
