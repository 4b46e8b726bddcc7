"""Where energy comes from, in words: `measured (nvml); host estimated, not in the sums`. Pure.

Every place that says so uses these words: the terminal, the page, Markdown, the meter, the pytest plugin.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.energy.attribution import attributed_readings, case_energy
from joulemark.suite.energy.components import HOST_MODELLED, SECOND_OPINION, component_named
from joulemark.suite.records import Case, EnergyReading, RunFile, Trace
from joulemark.suite.units import counted

_HOST: Final = ("processor", "memory")
_WORDS: Final = {"cpu": "processor", "ram": "memory", "gpu": "GPU"}
_VERBS: Final = ("measured", "simulated", "estimated")
"""In the order in which they are named."""
_SIMULATED: Final = "simulated"
"""The sensor whose name says no more than the verb."""


@dataclass(frozen=True)
class _Source:
    in_sum: str
    """`measured (nvml)`."""
    rest: str
    """What is read but not in the sum, and what is not measured; empty for nothing."""

    def text(self, cases: int = 0) -> str:
        """Return the source, with the number of cases that have it if that is not 0."""
        count = f" in {counted(cases, 'case')}" if cases else ""
        return "; ".join(filter(None, (self.in_sum + count, self.rest)))


def energy_source(readings: Sequence[EnergyReading], simulated: Collection[str] = ()) -> str:
    """Return where the sum of `readings` comes from, and what it leaves out.

    Args:
        readings: Those of one window, or of several windows of the same case.
        simulated: Names of the sensors that are simulated.
    """
    return _source(readings, simulated).text() + _second_opinion([readings])


def source_of_cases(run_files: Iterable[RunFile]) -> str | None:
    """Return where the energy of all measured cases comes from; None without such a case."""
    sources: Counter[_Source] = Counter()
    by_case: list[list[EnergyReading]] = []
    for run_file in run_files:
        simulated = {trace.sensor for trace in run_file.traces if trace.simulated}
        of_run = [_readings(case) for case in run_file.cases if case.status == "ok"]
        sources.update(_source(readings, simulated) for readings in of_run)
        by_case += of_run
    if not sources:
        return None
    counts = sources.most_common() if len(sources) > 1 else [(source, 0) for source in sources]
    first, *others = (source.text(count) for source, count in counts)
    return ". ".join([first, *(text[0].upper() + text[1:] for text in others)]) + _second_opinion(by_case)


def simulated_sensors(traces: Iterable[Trace]) -> str:
    """Return the names of the simulated sensors, of `simulated:NAME/LOAD` what is simulated; empty without any."""
    names = set()
    for trace in traces:
        if trace.simulated:
            scope = trace.channels[0].scope.removeprefix("simulated ") if trace.channels else ""
            names.add(scope if trace.sensor == _SIMULATED and scope else trace.sensor)
    return ", ".join(sorted(names))


def _readings(case: Case) -> list[EnergyReading]:
    """Return the readings of the trials that the energy of `case` is the mean of; of all its trials if it has none."""
    counted_trials = [energy.trial for energy in case_energy(case.ok_trials).trials]
    return [reading for trial in counted_trials or case.ok_trials for reading in trial.energy]


def _source(readings: Sequence[EnergyReading], simulated: Collection[str]) -> _Source:
    in_sum = attributed_readings(readings)
    by_verb: dict[str, list[str]] = {}
    for reading in in_sum:
        by_verb.setdefault(_verb(reading, simulated), []).append(reading.evidence or reading.sensor)
    parts = [f"{verb}{_sensors(by_verb[verb])}" for verb in _VERBS if verb in by_verb]
    beside = [
        reading
        for reading in readings
        if not reading.attributed and reading.energy_j is not None and reading.component not in SECOND_OPINION
    ]
    known = {_subject(reading) for reading in (*in_sum, *beside)}
    absent = dict.fromkeys(_subject(r) for r in readings if r.attributed and _subject(r) not in known)
    rest = []
    if beside:
        rest.append(f"{', '.join(_beside(in_sum, beside, simulated))}, not in the sums")
    if parts and absent:
        rest.append(f"{' and '.join(_with_host(list(absent)))} not measured")
    return _Source(", ".join(parts) or "not measured", "; ".join(rest))


def _second_opinion(windows: Iterable[Sequence[EnergyReading]]) -> str:
    """Return what another model says of the estimates that are charged, in words; empty without both.

    Each of `windows` is the readings of one case, or of one window.
    """
    ratios = []
    for readings in windows:
        charged_j = math.fsum(r.energy_j or 0.0 for r in attributed_readings(readings) if r.component in HOST_MODELLED)
        other_j = math.fsum(r.energy_j or 0.0 for r in readings if r.component in SECOND_OPINION)
        if charged_j and other_j:
            ratios.append(other_j / charged_j)
    if not ratios:
        return ""
    low, high = f"{min(ratios):.2g}", f"{max(ratios):.2g}"
    return f"; by codecarbon's model {low if low == high else f'{low} to {high}'} times as much"


def _beside(in_sum: Sequence[EnergyReading], beside: Sequence[EnergyReading], simulated: Collection[str]) -> list[str]:
    """Return each component that is read but not in the sum, with what its energy is."""
    subjects: dict[str, dict[str, list[str]]] = {}
    for reading in beside:
        verb = _verb(reading, simulated)
        subjects.setdefault(verb, {}).setdefault(_subject(reading), []).append(reading.sensor)
    texts = []
    for verb, sensors in subjects.items():
        for name in _with_host(list(sensors)):
            # Which model estimates what does not count is of no interest.
            names = "" if verb == "estimated" else _sensors(sensors.get(name, []))
            others = name == "GPU" and any(reading.component == "gpu" for reading in in_sum)
            texts.append(f"{'other GPUs' if others else name} {verb}{names}")
    return texts


def _subject(reading: EnergyReading) -> str:
    component = component_named(reading.component)
    return _WORDS.get(component.hardware, component.scope)


def _with_host(subjects: list[str]) -> list[str]:
    """Return `subjects` with processor and memory as one: the host."""
    if not set(_HOST) <= set(subjects):
        return subjects
    return ["host", *(subject for subject in subjects if subject not in _HOST)]


def _verb(reading: EnergyReading, simulated: Collection[str]) -> str:
    if reading.sensor in simulated or (simulated and not reading.sensor):
        return "simulated"
    return "estimated" if reading.kind == "model" else "measured"


def _sensors(names: Iterable[str]) -> str:
    """Return ` (rapl, nvml)`; empty where the sensor has no name of its own."""
    known = [name for name in dict.fromkeys(names) if name not in ("", _SIMULATED)]
    return f" ({', '.join(known)})" if known else ""
