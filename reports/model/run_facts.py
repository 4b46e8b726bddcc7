"""Facts about a run in words: what was measured on what machine, with what software and settings."""

from __future__ import annotations

from joulemark.reports.markers import framework_title
from joulemark.suite import units
from joulemark.suite.records import Emissions, FrameworkInfo, Gpu, Machine, RunFile
from joulemark.suite.results.intensity_kind import intensity_kind

Facts = tuple[tuple[str, str], ...]
"""Pairs of a term and its description."""


def system_facts(file: RunFile) -> Facts:
    """Return what was measured on what, in a few words."""
    machine, intensity, pue = file.machine, file.emissions.intensity, file.emissions.pue
    zone = intensity.zone or ("custom value" if intensity.vintage is None else "world")
    kind = intensity_kind(intensity)
    gpus = [(f"GPU {gpu.index}", f"{gpu.name}, driver {gpu.driver or 'unknown'}") for gpu in machine.gpus]
    frameworks = [
        f"{framework_title(name)} {info.version}{' (broken)' if info.broken_reason else ''}"
        for name, info in sorted(machine.frameworks.items())
    ]
    return (
        ("When", _moment(file.run.started_at) + ("" if file.run.finished_at else ", not finished")),
        ("Processor", f"{machine.cpu.model}, {machine.cpu.usable_cores:g} cores used"),
        *gpus,
        ("Frameworks", ", ".join(frameworks) or "none"),
        ("Grid", f"{zone}, {intensity.g_per_kwh:g} g CO₂e/kWh {kind.mark} {kind.key}"),
        ("PUE", f"{pue.value:g}, {pue.source}"),
        ("Run", f"{file.run.profile}, {file.run.id}"),
    )


def environment_facts(file: RunFile, anonymous: bool) -> tuple[tuple[str, Facts], ...]:
    """Return everything that can affect a number, in named groups."""
    frameworks = sorted(file.machine.frameworks.items())
    groups: list[tuple[str, Facts]] = [
        ("Machine", _machine_facts(file.machine, anonymous)),
        ("Frameworks", tuple((framework_title(name), _framework_build(info)) for name, info in frameworks)),
        ("Packages", tuple(sorted(file.machine.packages.items()))),
        ("Environment variables of the trials", tuple(sorted(file.run.environment.items()))),
        ("Settings", _settings_facts(file)),
    ]
    return tuple((name, facts) for name, facts in groups if facts)


def provenance_facts(file: RunFile) -> Facts:
    """Return the versions and seeds that the run is made with."""
    facts = [
        ("Joulemark", file.run.suite_version),
        ("Rounds", str(file.run.rounds)),
        ("Order seed", str(file.run.order_seed)),
        ("Run file", f"schema version {file.schema_version}"),
    ]
    if file.second_opinion is not None and file.second_opinion.reason is not None:
        facts.append(("Second opinion", f"none, {file.second_opinion.reason}"))
    return tuple(facts)


def intensity_provenance(emissions: Emissions) -> str:
    """Return all that is known about the source of the carbon intensity."""
    used = emissions.intensity
    texts = [f"{used.g_per_kwh:g} g/kWh", used.source]
    texts += [used.zone] if used.zone else []
    texts += [str(used.vintage)] if used.vintage is not None and str(used.vintage) not in used.source else []
    texts += [f"interval from {used.interval_start}"] if used.interval_start else []
    texts += [f"retrieved {used.retrieved_at}"] if used.retrieved_at else []
    texts += [name for name in (used.basis, used.signal) if name != "unknown"]
    texts += ["estimated by the source"] if used.is_estimated else []
    texts += [f"fallback source: {used.reason}"] if used.fallback and used.reason else []
    ends = [f"{end:g}" if end is not None else "unknown" for end in (used.low, used.high)]
    texts.append(f"range {ends[0]} to {ends[1]} g/kWh" if set(ends) != {"unknown"} else "range unknown")
    return ", ".join(dict.fromkeys(texts))


def _machine_facts(machine: Machine, anonymous: bool) -> Facts:
    cpu = machine.cpu
    physical = "unknown" if cpu.physical_cores is None else cpu.physical_cores
    return (
        *(() if anonymous else (("Host name", machine.hostname),)),
        ("Processor", cpu.model),
        ("Cores", f"{physical} physical, {cpu.logical_cores} logical, {cpu.usable_cores:g} usable"),
        ("Instruction sets", ", ".join(cpu.flags) or "unknown"),
        ("Governor", cpu.governor or "not reported by the system"),
        *((f"GPU {gpu.index} {name}", value) for gpu in machine.gpus for name, value in _gpu_facts(gpu)),
        ("Memory", f"{machine.memory_bytes / 2**30:.1f} GiB"),
        ("System", machine.os),
        ("Virtual", machine.virtual or "no, or unknown"),
        ("Fingerprint", machine.fingerprint),
    )


def _gpu_facts(gpu: Gpu) -> Facts:
    return (
        ("name", f"{gpu.name}{', split (MIG)' if gpu.mig else ''}"),
        ("driver", gpu.driver or "unknown"),
        ("memory", f"{gpu.memory_bytes / 2**30:.0f} GiB" if gpu.memory_bytes is not None else "unknown"),
        ("power limit", units.quantity(gpu.power_limit_w, "W") if gpu.power_limit_w is not None else "unknown"),
        ("device", gpu.device or "not visible to the frameworks"),
    )


def _framework_build(info: FrameworkInfo) -> str:
    if info.broken_reason is not None:
        return f"{info.version}, cannot be imported: {info.broken_reason}"
    return f"{info.version}, {info.build or 'build unknown'}, Python {info.python}, on {', '.join(info.devices)}"


def _settings_facts(file: RunFile) -> Facts:
    """Return the settings that are not at their defaults."""
    changed = file.settings.model_dump(mode="json", exclude_defaults=True)
    return tuple((name.replace("_", " "), _plain(value)) for name, value in changed.items())


def _plain(value: object) -> str:
    """Return a setting in plain words: `threads: 1, 2; mode: eager, compile`."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return "yes" if value is True else "no" if value is False else "none" if value is None else str(value)


def _moment(iso: str) -> str:
    """Return `2026-11-01T12:00:00Z` as `2026-11-01 12:00 UTC`."""
    return iso.replace("T", " ")[:16] + " UTC"
