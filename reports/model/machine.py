"""The headline for one machine: what it can do, what its cases reach of that, and what a unit of work takes."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joulemark.reports.markers import framework_title
from joulemark.reports.model.cases import CaseView
from joulemark.suite import units
from joulemark.suite.records import Quantity, RunFile
from joulemark.suite.results.machine.held_back import UNKNOWN, causes
from joulemark.suite.results.machine.known_units import UnitCost, known_units
from joulemark.suite.results.machine.peaks import Peak, Power, peaks, powers
from joulemark.suite.results.roofline import Share, share
from joulemark.suite.results.table import AT_LEAST, ESTIMATED, matching_digits
from joulemark.workloads.errors import BrokenPackageError
from joulemark.workloads.registry import workloads

OTHER = "other"


@dataclass(frozen=True)
class Fact:
    """One line of the headline: a term, its main value, and what stands below it."""

    term: str
    value: str
    detail: str = ""
    grams: str = ""
    """Emissions beside the value; empty for none."""
    grams_of: str = ""
    """The case that the grams are of, and the number of items: what the page's what-if needs, `c0|1000`."""


@dataclass(frozen=True)
class MachineFacts:
    """The headline of one run."""

    run: str
    """Label of the run."""
    name: str
    """GPUs, or the processor with its cores."""
    facts: tuple[Fact, ...]


def machine_facts(label: str, run_file: RunFile, cases: Sequence[CaseView]) -> MachineFacts:
    """Return the headline of the run `label`; facts that were not measured are left out."""
    shares = {
        view.key: (view, of_case)
        for view in cases
        if view.case.summary is not None and (of_case := share(view.case, run_file.probes)) is not None
    }
    facts = [
        *(_unit(cost, {view.case.id: view.key for view in cases}) for cost in known_units(run_file.cases)),
        *_peaks(peaks(run_file.probes)),
        *_families(shares),
        *_extremes(shares),
        *map(_power, powers(run_file)),
        *_causes(run_file),
    ]
    return MachineFacts(label, machine_name(run_file), tuple(facts))


def machine_name(run_file: RunFile) -> str:
    """Return the GPUs that cases ran on, or the processor with its cores."""
    machine = run_file.machine
    used = {case.device for case in run_file.cases}
    gpus = [gpu.name for gpu in machine.gpus if gpu.device in used]
    if gpus:
        counts = [(name, gpus.count(name)) for name in dict.fromkeys(gpus)]
        return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in counts)
    return f"{machine.cpu.model}, {machine.cpu.usable_cores:g} cores"


def _unit(cost: UnitCost, keys: Mapping[str, str]) -> Fact:
    joules, grams = cost.energy_j, cost.emissions_g
    case = cost.case
    work = f"{case.workload_id} {case.size}, {framework_title(case.framework)} {case.mode}, {case.precision}"
    speed = f"{units.significant(cost.per_second)} a second"
    if joules.value is None:
        return Fact(cost.name, speed, f"energy not measured; {work}")
    return Fact(
        cost.name,
        amount(joules, "J"),
        f"{speed}; {work}",
        grams=f"{amount(grams, 'g', with_interval=False)} CO₂e",
        grams_of=f"{keys[case.id]}|{cost.items:.12g}",
    )


def amount(quantity: Quantity, unit: str, with_interval: bool = True) -> str:
    """Return a quantity with its marks and its interval, in an SI prefix that suits it: `≥138 mJ [136, 140]`."""
    if quantity.value is None:
        return "not measured"
    mark = (ESTIMATED if quantity.kind == "model" else "") + (AT_LEAST if quantity.lower_bound else "")
    if quantity.kind == "model":
        return f"{mark}{units.quantity(quantity.value, unit, 2)}"
    if quantity.low is None or quantity.high is None or not with_interval:
        return f"{mark}{units.quantity(quantity.value, unit)}"
    factor, prefix = units.prefix(quantity.value)
    text, low, high = matching_digits(quantity.value / factor, quantity.low / factor, quantity.high / factor)
    return f"{mark}{text} {prefix}{unit} [{low}, {high}]"


def _peaks(found: Sequence[Peak]) -> list[Fact]:
    """Return the peaks; those of one device and precision under several numbers of threads name these."""
    places = Counter((peak.device, peak.precision) for peak in found)
    return [_peak(peak, places[peak.device, peak.precision] > 1) for peak in found]


def _peak(peak: Peak, with_threads: bool) -> Fact:
    flops, bandwidth = (
        units.quantity(value, unit) for value, unit in ((peak.flops_per_s, "FLOP/s"), (peak.bytes_per_s, "B/s"))
    )
    threads = f", {units.counted(peak.threads, 'thread')}" if with_threads else ""
    term = f"measured peak, {peak.device} {peak.precision}{threads}"
    return Fact(term, f"{flops}, {bandwidth}", "a large matrix product, a large copy")


def _families(shares: Mapping[str, tuple[CaseView, Share]]) -> list[Fact]:
    """Return which share of the attainable speed the cases of each family reach."""
    by_family: dict[str, list[float]] = defaultdict(list)
    for view, of_case in shares.values():
        by_family[_family(view)].append(of_case.share)
    if not by_family:
        return []
    texts = [
        f"{name} {units.percent(statistics.median(values))}"
        + (f" ({units.percent(min(values))} to {units.percent(max(values))})" if len(values) > 1 else "")
        for name, values in by_family.items()
    ]
    return [Fact("share of the attainable speed", "; ".join(texts), "median of each family's cases (least to most)")]


def _family(view: CaseView) -> str:
    try:
        workload = workloads().get(view.case.workload_id)
    except BrokenPackageError:
        return OTHER
    return OTHER if workload is None else workload.family


def _extremes(shares: Mapping[str, tuple[CaseView, Share]]) -> list[Fact]:
    ranked = sorted(shares.values(), key=lambda entry: entry[1].share)
    if len(ranked) < 2:
        return []
    (worst, low), (best, high) = ranked[0], ranked[-1]
    names = [f"{view.title}, {view.name}" for view in (best, worst)]
    if names[0] == names[1]:
        names = [best.full_name, worst.full_name]
    text = f"{names[0]} {units.percent(high.share)}; {names[1]} {units.percent(low.share)}"
    return [Fact("best and worst case", text, "share of the attainable speed")]


def _power(power: Power) -> Fact:
    mark = (ESTIMATED if power.kind == "model" else "") + (AT_LEAST if power.lower_bound else "")
    idle = "idle not measured" if power.idle_w is None else f"{mark}{units.quantity(power.idle_w, 'W')} idle"
    most = f"{mark}{units.quantity(power.most_w, 'W')} at most"
    return Fact(f"power, {power.device}", f"{idle}, {most}", f"mean of {power.case.workload_id} {power.case.phase}")


def _causes(run_file: RunFile) -> list[Fact]:
    counts = causes(run_file.cases, run_file.probes)
    known = [f"{cause} {count}" for cause, count in counts.most_common() if cause != UNKNOWN]
    if not known:
        return []
    total = sum(counts.values())
    unknown = f"; of {counts[UNKNOWN]} it is not known" if counts[UNKNOWN] else ""
    return [Fact("what holds it back", ", ".join(known), f"cases, of {total}{unknown}")]
