"""All that is watched: sensors, processes and the grid, and what they add up to."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from joulemark.suite.energy.components import component_named
from joulemark.suite.errors import MeasurementError
from joulemark.suite.records import Gpu, Settings
from joulemark.suite.sensors.base import check_request
from joulemark.suite.sensors.gpus.inventory import discover
from joulemark.suite.watch.grid import Grid
from joulemark.suite.watch.machine_energy import MachineEnergy
from joulemark.suite.watch.process_groups import ProcessGroups
from joulemark.suite.watch.sample_pipe import Entry, SamplePipe
from joulemark.suite.watch.snapshot import Snapshot

FIRST_VALUES_S: Final = 2.0
"""How long the start waits for the first value of each channel: the estimate's comes after half a second."""
POLL_S: Final = 0.05


class WatchSession:
    """Totals since the start. `snapshot` may be called from any thread."""

    def __init__(
        self, pipe: SamplePipe, gpus: tuple[Gpu, ...], grid: Grid, groups: ProcessGroups | None, span_s: float
    ) -> None:
        """Take what the sensors have shown so far as the start."""
        self._pipe, self.grid, self._groups = pipe, grid, groups
        self._machine = MachineEnergy(gpus, span_s)
        self._lock = threading.Lock()
        self._machine.add(_first_lines(pipe), grid.current())
        self._begin_s = pipe.now()

    @classmethod
    def start(
        cls, scratch: Path, settings: Settings, span_s: float, named: Mapping[str, int] | None, by_group: bool
    ) -> WatchSession:
        """Start sampling. Only from the main thread.

        Args:
            scratch: A directory for a moment.
            settings: Sensors, and what carbon intensity and PUE depend on.
            span_s: What watts are the mean over, seconds.
            named: Process ids by name of the group (`ProcessGroups`); None for none.
            by_group: Whether to apportion to all process groups where none is named.

        Raises:
            UsageError: where the settings cannot be met, or a process does not exist.
            MeasurementError: where the sampler does not start.
        """
        for sensor in settings.sensor:
            check_request(sensor)
        grid = Grid(settings)
        pipe = SamplePipe.start(scratch, settings.sensor)
        try:
            groups = ProcessGroups(named) if named or by_group else None
            return cls(pipe, discover().gpus, grid, groups, span_s)
        except BaseException:
            pipe.close()
            raise

    def snapshot(self) -> Snapshot:
        """Return what is known now. MeasurementError where sensors are no longer sampled."""
        with self._lock:
            if not self._pipe.sampler.alive:
                raise MeasurementError("the power sampler has ended: nothing is measured any more. Start again.")
            return self._snapshot()

    def finish(self) -> Snapshot:
        """End the sampling and return the totals."""
        with self._lock:
            end_s = self._pipe.now()
            self._pipe.stop()
            return self._snapshot(end_s)

    def close(self) -> None:
        """End the sampling."""
        with self._lock:
            self._pipe.close()

    @property
    def findings(self) -> tuple[str, ...]:
        """Why sensors cannot be read, and what to do about it."""
        return tuple(
            " ".join(filter(None, [f"{finding.name}: {finding.reason}.", finding.fix]))
            for finding in self._pipe.sampler.findings
            if finding.found and not finding.readable and finding.reason
        )

    def _snapshot(self, end_s: float | None = None) -> Snapshot:
        """Return what is known; `end_s` is when the watch has ended, seconds since the sampler's origin."""
        emissions = self.grid.current()
        self._machine.add(self._pipe.drain(), emissions)
        now_s = self._pipe.now() if end_s is None else end_s
        components = self._machine.states(now_s)
        if self._groups is not None and (end_s is not None or self._groups.is_due()):
            processor = [
                each for each in components if each.counted and component_named(each.component).hardware == "cpu"
            ]
            self._groups.update(sum(each.energy_j for each in processor), sum(each.emissions_g for each in processor))
        return Snapshot(
            at=datetime.now(UTC),
            duration_s=now_s - (self._begin_s if self._machine.begin_s is None else self._machine.begin_s),
            components=components,
            groups=self._groups.states() if self._groups is not None else (),
            temperatures=self._machine.temperatures(),
            emissions=emissions,
            missing=self._machine.missing(),
        )


def _first_lines(pipe: SamplePipe) -> list[Entry]:
    """Return the first lines of the sampler, with a value of each channel where it comes soon.

    The estimate of the processor's power needs a span that it is the mean of: what is drawn until its first value would
    be in no total.
    """
    lines, until_s = pipe.drain(), pipe.now() + FIRST_VALUES_S
    while pipe.now() < until_s and pipe.sampler.alive and _lacks_values(lines):
        time.sleep(POLL_S)
        lines += pipe.drain()
    return lines


def _lacks_values(lines: Sequence[Entry]) -> bool:
    channels = {(each["sensor"], i) for each in lines if "sensor" in each for i in range(len(each["channels"]))}
    reads = (each for each in lines if "t" in each)
    return bool(channels - {(read["i"], i) for read in reads for i, value in enumerate(read["v"]) if value is not None})
