"""Whether the sensors here measure what a sweep ranks, found before anything is measured."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from joulemark.suite.energy.components import component_named
from joulemark.suite.errors import NotComparableError
from joulemark.suite.records import Case, Settings, Trace
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.stats.sweep.points import sweeps_limits
from joulemark.suite.system.scratch import scratch_directory

_NONE = "No sensor here measures the energy of"
_DOCTOR = "`joulemark doctor` says which sensors can be read"


def check_energy(settings: Settings, cases: Sequence[Case]) -> str | None:
    """Return what the user should know of a sweep whose energy is not measured; None where it is.

    Raises NotComparableError for a sweep of power limits or clocks, which compares nothing then.
    """
    traces = _open_traces(settings.sensor)
    devices = dict.fromkeys(case.device for case in cases)
    unmeasured = [device for device in devices if not _is_measured(device, traces)]
    if not unmeasured:
        return None
    none = f"{_NONE} {', '.join('the processor' if device == 'cpu' else device for device in unmeasured)}"
    if sweeps_limits(settings):
        raise NotComparableError(f"n{none[1:]}, and no estimate sees limits or clocks: nothing to rank. {_DOCTOR}.")
    if not _has_model(traces):
        return f"{none}: settings are ranked by speed alone. {_DOCTOR}."
    if settings.allow_estimates:
        return f"{none}: the joules that are ranked are estimated."
    return f"{none}: settings are ranked by speed alone. Add --allow-estimates to rank estimated joules."


def _open_traces(sensors: Sequence[str]) -> tuple[Trace, ...]:
    """Return what the sensors of a run read at once, with their channels."""
    with scratch_directory() as directory:
        path = directory / "trace"
        with Sampler.start(path, time.monotonic(), sensors):
            return trace_file.load(path)


def _is_measured(device: str, traces: Iterable[Trace]) -> bool:
    """Return whether a channel that is no estimate is of the device; a GPU's may count its whole module."""
    on_cpu = device == "cpu"
    measured = {component_named(c.component) for trace in traces for c in trace.channels if c.kind != "model"}
    return any(c.charged and c.hardware == "cpu" if on_cpu else c.hardware in ("gpu", "") for c in measured)


def _has_model(traces: Iterable[Trace]) -> bool:
    return any(channel.kind == "model" for trace in traces for channel in trace.channels)
