"""The meter: energy and emissions of a user's own code, read from the sensors that runs are measured with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from joulemark.measured_calls import measured
from joulemark.measurement import Measurement
from joulemark.measurement_files import MeasurementFiles
from joulemark.open_windows import OpenWindow
from joulemark.suite.errors import UsageError
from joulemark.suite.system.clock import monotonic_s
from joulemark.suite.system.ranks import Rank
from joulemark.synchronise import synchronise
from joulemark.window_reader import WindowReader

Function = TypeVar("Function", bound=Callable[..., Any])


class Meter(MeasurementFiles):
    """Measure the energy and emissions of a block, a function, or each iteration of a loop.

    As a context manager:

        with joulemark.Meter(zone="CH") as meter:
            train()
        print(meter.energy.value, "J,", meter.emissions.value, "g")

    As a decorator, of coroutine functions and generators too:

        @joulemark.Meter("step")
        def step(): ...

    With `start` and `stop`, wherever these are called. Each use adds a window to `measurements`; `energy`, `emissions`
    and `readings` are those of the last. A meter may be nested in others and in itself, and used from several threads
    and tasks: `stop` and `items` are for the innermost window of the task or thread that they are used in.

    A window only reads a clock. The sensors are read by a process of its own, which the first meter of a program starts
    before its window opens (a second or two) and which ends with the program. Results are computed when they are first
    asked for. Where energy cannot be measured the program goes on, and amounts are None with a reason.
    """

    def __init__(
        self,
        name: str = "meter",
        *,
        zone: str | None = None,
        coordinates: str | None = None,
        data_center: str | None = None,
        intensity: float | str | None = None,
        pue: float | str | None = None,
        psf: float | None = None,
        offline: bool | None = None,
        sensor: str | Sequence[str] = (),
        device: str | Sequence[str] = (),
        sync: bool | Callable[[], object] = False,
        item: str = "run",
        about: dict[str, Any] | None = None,
        track: object = None,
    ) -> None:
        """Make a meter. Settings that are not given come from the environment or the settings file, then defaults.

        Args:
            name: Name of the case in a saved run file.
            zone: Grid zone, such as `"CH"`.
            coordinates: Place as `"LATITUDE,LONGITUDE"` in degrees, instead of a zone.
            data_center: Place as `"PROVIDER:REGION"`, such as `"gcp:europe-west6"`, instead of a zone.
            intensity: The grid's carbon intensity, g/kWh: a number, `"LOW..VALUE..HIGH"`, or the path of a CSV file.
            pue: Power usage effectiveness: a number, `"LOW..VALUE..HIGH"`, or a preset of `joulemark run --pue`.
            psf: How often the computation is repeated; it multiplies the totals of a saved run only.
            offline: Whether to make no network requests.
            sensor: Sensors to read, such as `"rapl"` (default: all that can be read).
            device: GPUs that the code uses, such as `"cuda:0"`, or `"cpu"` for none (default: all that it can see).
            sync: True to wait for the frameworks' devices at both ends of a window, or a function that does.
            item: What `items` counts.
            about: More about the code for a saved file: `framework`, `mode`, `phase`, `precision`, `batch_size`,
                `workload_version`, `flops_per_item`, `bytes_per_item`, `unfused_bytes_per_item`.
            track: Where windows are logged: `"mlflow"`, `"wandb"`, `"tensorboard"`, `"tensorboard:DIR"`, `"active"`
                for runs that this program has begun, a run or SummaryWriter of its own, or a list of these.

        Raises:
            JoulemarkError: for an argument of the wrong type, or a tracker that is not known or not installed. Other
                values are checked when the first window opens.
        """
        if not isinstance(name, str):
            raise UsageError(f"a meter's name is text, found {name!r:.80}. Write @joulemark.Meter().")
        if not (isinstance(sync, bool) or callable(sync)):
            raise UsageError(f"sync is True, False or a function, found {sync!r:.80}.")
        if not isinstance(about, dict | None):
            raise UsageError(f"about is a dict, found {about!r:.80}.")
        given = {
            "zone": zone,
            "coordinates": coordinates,
            "data_center": data_center,
            "intensity": intensity,
            "pue": pue,
            "psf": psf,
            "offline": offline,
            "device": _names("device", device) or None,
        }
        given = {key: value for key, value in given.items() if value is not None}
        about = {"item": item, **(about or {})}
        super().__init__(name, WindowReader(name, given, _names("sensor", sensor), about, synchronised=bool(sync)))
        self._sync = synchronise if sync is True else (sync or None)
        if track is not None:
            from joulemark.tracking.log import TrackingLog

            self._tracking = TrackingLog(track, name, self.parameters)

    def start(self) -> Self:
        """Open a window, and return this meter. JoulemarkError where an argument cannot be met."""
        self._open_windows.enter(self._begin())
        return self

    def stop(self) -> Measurement:
        """Close the innermost window of this task or thread, and return it. JoulemarkError where none is open."""
        end_s = self.mark()
        window = self._open_windows.innermost()
        if window is None:
            raise UsageError(f"{self.name} was stopped, but not started in this thread or task.")
        return self._end(window, end_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __call__(self, function: Function) -> Function:
        """Return `function` with each call measured. Calls may overlap.

        The window of a generator lasts from its first step to its end, and includes what is done with its values.
        """
        return measured(function, self._begin, self._end)  # type: ignore[return-value]

    def _begin(self) -> OpenWindow:
        self.prepare()
        return self._open_windows.new(self.mark())

    def _end(self, window: OpenWindow, end_s: float | None = None) -> Measurement:
        end_s = self.mark() if end_s is None else end_s
        self._open_windows.close(window)
        return self._add(window.begin_s, end_s, window.items)

    def align(self, barrier: Callable[[], object]) -> None:
        """Mark a moment that all ranks of a job share, by which `joulemark job` aligns the clocks of its nodes.

        All ranks call it, with a `barrier` that returns in none of them before all have called it, such as
        `torch.distributed.barrier`. It is called twice, so that the second time takes little longer than a message
        between the nodes: to about that the clocks can be aligned.
        """
        barrier()
        begin_s = monotonic_s()
        barrier()
        self._mark_s = begin_s, monotonic_s()

    @property
    def rank(self) -> Rank | None:
        """Which of a job's processes this is; None where it works alone, or before the first window."""
        return self._reader.node.rank if self._reader.node is not None else None

    def set_rank(self, rank: Rank | None) -> None:
        """Say that this process is `rank`, where a framework knows better than the launcher's variables."""
        self._reader.given_rank = rank

    def prepare(self) -> None:
        """Start reading the sensors, as the first `start` in a process does. JoulemarkError as in `start`."""
        if self._tracking is not None:
            self._tracking.load()
        self._reader.prepare()

    def mark(self) -> float:
        """Return CLOCK_MONOTONIC in seconds, after the devices have finished if `sync` asks for that."""
        if self._sync is not None:
            self._sync()
        return monotonic_s()


def _names(argument: str, names: str | Sequence[str]) -> tuple[str, ...]:
    """Return one name or several as several. UsageError where they are neither."""
    listed = (names,) if isinstance(names, str) else names
    if not isinstance(listed, Sequence | set) or not all(isinstance(name, str) for name in listed):
        raise UsageError(f"{argument} is a name or a list of names, found {names!r:.80}.")
    return tuple(listed)
