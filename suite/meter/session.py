"""What a helper is asked: marks in, readings and run files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joulemark.suite.energy.attribution import energy_sum
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.machine import default_threads, describe
from joulemark.suite.meter import user_run
from joulemark.suite.meter.grid_cache import Found, Grid, Span, weighed
from joulemark.suite.meter.live_sampler import LiveSampler, Window, devices
from joulemark.suite.meter.window_result import account
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, Settings, Trace, write
from joulemark.suite.results.assemble import assemble_events
from joulemark.suite.sensors.base import check as check_sensor
from joulemark.suite.sensors.gpus import Boards, discover
from joulemark.suite.settings import resolve

Document = dict[str, Any]


@dataclass
class MeterSession:
    """A station, and what its readings are computed with."""

    station: LiveSampler
    sensors: tuple[str, ...]
    grid: Grid = field(default_factory=Grid)
    _boards: dict[tuple[str, ...], Boards] = field(default_factory=dict)

    @classmethod
    def open(cls, scratch: Path, sensors: Sequence[str] = ()) -> MeterSession:
        """Start sampling; without `sensors`, those of the settings file, or all there are. UsageError."""
        chosen = tuple(sensors) or resolve({}).sensor
        for sensor in chosen:
            check_sensor(sensor)
        return cls(LiveSampler.start(scratch / "sampler.trace", chosen), chosen)

    def opened(self) -> Document:
        """What was found of the sensors."""
        sampler = self.station.sampler
        return {"sensors": list(sampler.sensors), "findings": [asdict(finding) for finding in sampler.findings]}

    def close(self) -> None:
        """End the sampling."""
        self.station.close()

    def check(self, request: Mapping[str, Any]) -> Document:
        """Whether the meter's arguments can be met: said before anything is measured. UsageError if not."""
        settings = resolve(request["given"])
        user_run.case(request.get("name", ""), "cpu", default_threads(), request.get("about"))
        moment = datetime.now(UTC)
        self.grid.over(settings, (moment, moment))
        return {}

    def read(self, request: Mapping[str, Any]) -> Document:
        """Readings, joules and grams of each window."""
        settings, device, boards = self._asked(request)
        windows = self._windows(request)
        traces = self.station.traces(windows)
        found = []
        for window in windows:
            energy = compute_readings(traces, window, device, boards.gpus)
            emissions, notices = self._weighed(settings, window, traces, device, boards)
            answer = account(energy, emissions, window[1] - window[0])
            simulated = sorted({trace.sensor for trace in traces if trace.simulated})
            said = [*notices, *([Notice.of(Code.SIMULATED, ", ".join(simulated))] if simulated else [])]
            found.append({**answer, "notices": [notice.model_dump(mode="json") for notice in said]})
        return {"windows": found}

    def sums(self, request: Mapping[str, Any]) -> Document:
        """Only the attributed joules of each window: for the steps of a training, of which there may be very many."""
        _, device, boards = self._asked(request)
        windows = self._windows(request)
        traces = self.station.traces(windows)
        return {
            "energy_j": [
                energy_sum(compute_readings(traces, window, device, boards.gpus)).energy_j for window in windows
            ]
        }

    def save(self, request: Mapping[str, Any]) -> Document:
        """Write a run file whose trials are the windows. UsageError where it cannot be written."""
        settings, device, boards = self._asked(request)
        windows = self._windows(request)
        if not windows:
            raise UsageError(f"{request['name']} has measured nothing yet: there is nothing to save.")
        case = user_run.case(request["name"], device, default_threads(), request.get("about"))
        started_at = self.station.started_at
        span = self._span((windows[0][0], windows[-1][1]))
        items = request.get("items") or [1] * len(windows)
        steps = request.get("step_s") or [()] * len(windows)
        together = request.get("steps_per_block") or [1] * len(windows)
        marked = enumerate(zip(windows, items, steps, together, strict=True), 1)
        trials = [user_run.trial(number, *marks) for number, marks in marked]
        planned = user_run.planned(
            user_run.new_id(started_at),
            started_at,
            self.station.origin_s,
            request.get("command") or (),
            describe(boards.gpus),
            settings.model_copy(update={"sensor": self.sensors}),
            self.grid.over(settings, span),
            (case,),
            len(trials),
        )
        whole = Notice.of(Code.WHOLE_MACHINE, "other programs' share is not known")
        happened: list[Document] = [
            {"notice": whole.model_dump(mode="json")},
            *({"trial": trial.model_dump(mode="json"), "case": case.id} for trial in trials),
            {"finished_at": span[1].isoformat(timespec="milliseconds")},
        ]
        path = Path(request["path"]).expanduser()
        write(assemble_events(planned, happened, self.station.traces(windows)), path)
        return {"path": str(path)}

    def _asked(self, request: Mapping[str, Any]) -> tuple[Settings, str, Boards]:
        """Settings, device and boards of a request; `visible` are the variables of the program that choose boards."""
        chosen = request.get("visible") or {}
        key = tuple(f"{name}={value}" for name, value in sorted(chosen.items()))
        if key not in self._boards:
            self._boards[key] = discover(chosen)
        boards = self._boards[key]
        given = request.get("given") or {}
        asked = given.get("device") or ()
        settings = resolve({name: value for name, value in given.items() if name != "device"})
        return settings, devices(boards.gpus, boards.reason, [asked] if isinstance(asked, str) else asked), boards

    def _windows(self, request: Mapping[str, Any]) -> list[Window]:
        """The windows of a request since the station's start, once the sensors have spoken for all of them."""
        origin_s = self.station.origin_s
        windows = [(begin - origin_s, end - origin_s) for begin, end in request["windows"]]
        if windows:
            self.station.wait_for(max(end for _, end in windows))
        return windows

    def _weighed(
        self, settings: Settings, window: Window, traces: Sequence[Trace], device: str, boards: Boards
    ) -> Found:
        """What the grams of `window` are computed with."""
        emissions, notices = self.grid.over(settings, self._span(window))

        def energy_j(span: Span) -> float:
            begin_s, end_s = ((time - self.station.started_at).total_seconds() for time in span)
            return energy_sum(compute_readings(traces, (begin_s, end_s), device, boards.gpus)).energy_j or 0.0

        return weighed(emissions, self._span(window), energy_j), notices

    def _span(self, window: Window) -> Span:
        begin_s, end_s = (timedelta(seconds=time_s) for time_s in window)
        return self.station.started_at + begin_s, self.station.started_at + end_s
