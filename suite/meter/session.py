"""Answer the requests of a user's meters: windows in, readings and run files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joulemark.suite.carbon.provenance import Span
from joulemark.suite.energy.attribution import energy_sum
from joulemark.suite.energy.energy_source import simulated_sensors
from joulemark.suite.energy.whole_machine.share import headline_readings
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.machine import default_threads, describe
from joulemark.suite.meter import user_run
from joulemark.suite.meter.grid_cache import GridCache, GridInputs, weighted_by_energy
from joulemark.suite.meter.known_lags import SETTLE_S, KnownLags, lacks_lag
from joulemark.suite.meter.live_sampler import LiveSampler, Window, charged_devices
from joulemark.suite.meter.node_record import node_record
from joulemark.suite.meter.window_result import component_sums, window_result
from joulemark.suite.notices import Code
from joulemark.suite.records import EnergyReading, Gpu, Notice, Settings, Trace, Trial, write
from joulemark.suite.results.assemble import assemble_events
from joulemark.suite.sensors.base import check_request
from joulemark.suite.sensors.gpus.inventory import GpuInventory, discover
from joulemark.suite.settings import resolve
from joulemark.suite.system.output import output_file

Document = dict[str, Any]


@dataclass(frozen=True)
class _Target:
    """What the windows of a request are read for."""

    settings: Settings
    device: str
    gpus: tuple[Gpu, ...]

    def readings(self, traces: Sequence[Trace], window: Window) -> tuple[EnergyReading, ...]:
        return compute_readings(traces, window, self.device, self.gpus)

    def energy_j(self, traces: Sequence[Trace], window: Window) -> float | None:
        """Return the energy of `window` as `window_result` does, joules; None where there is none."""
        return energy_sum(headline_readings(self.readings(traces, window))).energy_j


@dataclass
class MeterSession:
    """The sampler of a program's meters, and what their readings are computed with."""

    sampler: LiveSampler
    sensors: tuple[str, ...]
    """The sensors that were requested; empty: all that can be read."""
    restarted_s: float | None = None
    """When sampling began, seconds since the origin, if another process had begun before; else None."""
    grid: GridCache = field(default_factory=GridCache)
    lags: KnownLags = field(default_factory=KnownLags)
    _kept: Mapping[str, Any] | None = None
    """The request of a program that wants a run file written if it ends without."""
    _has_settled: bool = False
    """Whether the end of a window was waited for until it could show the lags."""
    _detected: dict[tuple[str, ...], GpuInventory] = field(default_factory=dict)

    @classmethod
    def open(cls, scratch: Path, sensors: Sequence[str] = (), origin: Sequence[Any] | None = None) -> MeterSession:
        """Start sampling, into a file in `scratch`.

        Without `sensors`, those of the settings file are read, else all that can be. UsageError for an unknown sensor.
        `origin` is that of the meter process that this one replaces.
        """
        requested = tuple(sensors) or resolve({}, measures=True).sensor
        for sensor in requested:
            check_request(sensor)
        started_at, origin_s = (datetime.fromisoformat(origin[0]), origin[1]) if origin else (None, None)
        sampler = LiveSampler.start(scratch / "sampler.trace", requested, started_at, origin_s)
        return cls(sampler, requested, sampler.now() if origin else None)

    def sensors_found(self) -> Document:
        """Return the sensors that are read, what was found of each, and the moment that seconds are counted from."""
        sampler = self.sampler.sampler
        return {
            "sensors": list(sampler.sensors),
            "findings": [asdict(finding) for finding in sampler.findings],
            "origin": [self.sampler.started_at.isoformat(), self.sampler.origin_s],
        }

    @property
    def alive(self) -> bool:
        """Whether sensors are still sampled."""
        return self.sampler.sampler.alive

    def close(self) -> None:
        """Stop sampling."""
        self.sampler.close()

    def check(self, request: Mapping[str, Any]) -> Document:
        """Check the arguments of a meter before it measures anything. UsageError where they cannot be met."""
        settings = resolve(request["given"], measures=True)
        user_run.case(request.get("name", ""), "cpu", default_threads(), request.get("about"))
        now = datetime.now(UTC)
        self.grid.inputs(settings, (now, now))
        return {}

    def read(self, request: Mapping[str, Any]) -> Document:
        """Return readings, joules and grams of each window."""
        target = self._target(request)
        windows = self._windows(request)
        traces = self._traces(request, windows)
        simulated, sensors = simulated_sensors(traces), {trace.sensor for trace in traces if trace.simulated}
        results = []
        for window in windows:
            emissions, notices = self._grid_inputs(target, traces, window)
            readings = target.readings(traces, window)
            result = window_result(readings, emissions, window[1] - window[0], sensors)
            if simulated:
                notices = (*notices, Notice.of(Code.SIMULATED, simulated))
            results.append({**result, "notices": [notice.model_dump(mode="json") for notice in notices]})
        return {"windows": results}

    def sums(self, request: Mapping[str, Any]) -> Document:
        """Return only the attributed joules of each window, and by component. A training may have very many steps."""
        target = self._target(request)
        windows = self._windows(request)
        traces = self._traces(request, windows)
        readings = [target.readings(traces, window) for window in windows]
        return {
            "energy_j": [energy_sum(headline_readings(each)).energy_j for each in readings],
            "components_j": [component_sums(each) for each in readings],
        }

    def describe(self, request: Mapping[str, Any]) -> Document:
        """Return what an experiment tracker says of where a program was measured."""
        target, now = self._target(request), datetime.now(UTC)
        emissions, _ = self.grid.inputs(target.settings, (now, now))
        where = user_run.parameters(describe(target.gpus), target.device, emissions, self.sampler.sampler.sensors)
        return {"parameters": {**user_run.DEFAULTS, **request["about"], **where}}

    def save(self, request: Mapping[str, Any]) -> Document:
        """Write a run file with each window as a trial. UsageError where it cannot be written."""
        windows = self._windows(request)
        if not windows:
            raise UsageError(f"{request['name']} has measured nothing yet: there is nothing to save.")
        items = request.get("items") or [1] * len(windows)
        block_s = request.get("step_s") or [()] * len(windows)
        steps_per_block = request.get("steps_per_block") or [1] * len(windows)
        fields = zip(windows, items, block_s, steps_per_block, strict=True)
        trials = [user_run.trial(number, *values) for number, values in enumerate(fields, 1)]
        self._write(request, windows, trials, Path(request["path"]))
        self._kept = None
        return {}

    def keep(self, request: Mapping[str, Any]) -> Document:
        """Write a run file once the program has ended, unless it saves one itself."""
        self._kept = request
        return {}

    def save_kept(self) -> None:
        """Write the run file of a program that has ended without: one failed trial, from `keep` until now."""
        request, self._kept = self._kept, None
        if request is not None:
            window = request["begin_s"] - self.sampler.origin_s, self.sampler.now()
            self.sampler.wait_for(window[1])
            update = {"status": "failed", "reason_code": "killed", "reason": "the program ended before it was saved"}
            trial = user_run.trial(1, window).model_copy(update=update)
            with output_file(Path(request["path"]), private=True) as temporary:
                self._write(request, [window], [trial], temporary)

    def _write(self, request: Mapping[str, Any], windows: list[Window], trials: list[Trial], path: Path) -> None:
        """Write a run file of `trials`, each of one of `windows`."""
        target = self._target(request)
        case = user_run.case(request["name"], target.device, default_threads(), request.get("about"))
        span = self._span((windows[0][0], windows[-1][1]))
        emissions, notices = self.grid.inputs(target.settings, span)
        origin_s, machine, node = self.sampler.origin_s, describe(target.gpus), request.get("node")
        planned = user_run.planned(
            self.sampler.started_at,
            origin_s,
            request.get("command") or (),
            machine,
            target.settings.model_copy(update={"sensor": self.sensors}),
            emissions,
            notices,
            case,
            len(trials),
            None if node is None else node_record(node, machine, target.device, origin_s),
        )
        of_run = [Notice.of(Code.WHOLE_MACHINE, "the share of other programs is not known")]
        if self.restarted_s is not None and windows[0][0] < self.restarted_s:
            of_run.append(Notice.of(Code.METER_RESTARTED, f"{self.restarted_s:.3g} s after its first start"))
        events: list[Document] = [
            *({"notice": notice.model_dump(mode="json")} for notice in of_run),
            *({"trial": trial.model_dump(mode="json"), "case": case.id} for trial in trials),
            {"finished_at": span[1].isoformat(timespec="milliseconds")},
        ]
        write(assemble_events(planned, events, self._traces(request, windows)), path)

    def _target(self, request: Mapping[str, Any]) -> _Target:
        """Return what a request is for. Its `visible` holds the program's variables that select GPUs."""
        visible = request.get("visible") or {}
        key = tuple(f"{name}={value}" for name, value in sorted(visible.items()))
        if key not in self._detected:
            self._detected[key] = discover(visible)
        detected = self._detected[key]
        given = dict(request.get("given") or {})
        requested = given.pop("device", ())
        devices = [requested] if isinstance(requested, str) else requested
        device = charged_devices(detected.gpus, detected.reason, devices)
        return _Target(resolve(given, measures=True), device, detected.gpus)

    def _windows(self, request: Mapping[str, Any]) -> list[Window]:
        """Return the windows of a request, seconds since the sampler's start, once the sensors cover all of them."""
        origin_s = self.sampler.origin_s
        windows = [(begin - origin_s, end - origin_s) for begin, end in request["windows"]]
        if windows:
            self.sampler.wait_for(max(end for _, end in windows) + self.lags.longest_s)
        return windows

    def _traces(self, request: Mapping[str, Any], windows: Sequence[Window]) -> tuple[Trace, ...]:
        """Return the traces around `windows`, with the publication lags that are known.

        The end of a synchronised window shows them a little later, which is waited for once.
        """
        ends_s = [end for _, end in windows] if request.get("synchronised") else []
        traces = self.lags.apply(self.sampler.traces(windows), ends_s)
        if ends_s and not self._has_settled and lacks_lag(traces):
            self._has_settled = True
            self.sampler.wait_for(max(ends_s) + SETTLE_S)
            traces = self.lags.apply(self.sampler.traces(windows), ends_s)
        return traces

    def _grid_inputs(self, target: _Target, traces: Sequence[Trace], window: Window) -> GridInputs:
        """Return what the emissions of `window` are computed with."""
        span = self._span(window)
        emissions, notices = self.grid.inputs(target.settings, span)

        def energy_j(part: Span) -> float:
            begin_s, end_s = ((time - self.sampler.started_at).total_seconds() for time in part)
            return target.energy_j(traces, (begin_s, end_s)) or 0.0

        return weighted_by_energy(emissions, span, energy_j), notices

    def _span(self, window: Window) -> Span:
        begin_s, end_s = (timedelta(seconds=time_s) for time_s in window)
        return self.sampler.started_at + begin_s, self.sampler.started_at + end_s
