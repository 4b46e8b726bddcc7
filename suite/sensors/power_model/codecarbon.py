"""The sensor `codecarbon`: its model of CPU and RAM power, the last of the estimates and the second opinion on others.

Only the sampler's process imports codecarbon, and only its hardware model: no tracker, network, file or output. CPU
power is modelled from its table of thermal design power, times sockets, times (0.1 + 0.9 load^3); RAM power as watts
per memory module.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from joulemark.suite.energy.sensor_checks import UNKNOWN_CPU
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions, median_cost_s
from joulemark.suite.sensors.power_model.aggregates import ranges

PERIOD_S = 0.5
"""The model needs the load over an interval: /proc/stat counts in hundredths of a second."""
SHORTEST_S = 0.2
"""Over a shorter interval that count is too coarse: the read has no value."""
# An unknown CPU is assumed to need 4 W a thread (codecarbon 3.3, DEFAULT_POWER_PER_CORE). Its own table and the
# vendors' thread counts give 1.9 W (Core i7-8550U, 15 W, 8 threads) to 8.6 W (Xeon E3-1240 v2, 69 W, 8 threads).
UNKNOWN_CPU_ERROR_RANGE = (1.9 / 4, 8.6 / 4)
# The model guesses the number of memory modules from the total; half or twice as many are as common.
RAM_ERROR_RANGE = (0.5, 2.0)


class ModelError(Exception):
    """codecarbon's model cannot be used on this machine."""


@dataclass(frozen=True)
class Model:
    """codecarbon's estimate of this machine's CPU and RAM power."""

    cpu_w: Callable[[], float]
    """Returns the mean CPU power since its last call."""
    ram_w: float
    """The same at any load."""
    cpu: str
    tdp_w: float
    """Thermal design power, of all sockets."""
    known: bool
    """Whether codecarbon's table has the processor."""

    def channels(self, cpu: str = "cpu", ram: str = "ram") -> tuple[Channel, Channel]:
        """Return its channels as the components `cpu` and `ram`."""
        (low, high), (least, most) = ranges()["codecarbon"], (1.0, 1.0) if self.known else UNKNOWN_CPU_ERROR_RANGE
        origin = "from codecarbon's table" if self.known else f"4 W a thread, since codecarbon's table {UNKNOWN_CPU}"
        cpu_source = (
            f"codecarbon's model (MIT licence) of the package power of {self.cpu} from the machine's load and a TDP of "
            f"{self.tdp_w:.0f} W ({origin})"
        )
        ram_source = f"codecarbon's model: {self.ram_w:.0f} W for this much memory, whatever its load"
        model = partial(Channel, scope="host", unit="W", kind="model")
        return (
            model(component=cpu, average_s=PERIOD_S, gain=(low * least, high * most), source=cpu_source),
            model(component=ram, gain=RAM_ERROR_RANGE, source=ram_source),
        )


class CodeCarbon(Sensor):
    """codecarbon's model, by itself."""

    name = "codecarbon"
    period_s = PERIOD_S

    def __init__(self, model: Model) -> None:
        super().__init__(model.channels())
        self._model = model
        self._last_s = time.monotonic()

    def read(self) -> tuple[float | None, float | None]:
        now_s = time.monotonic()
        if now_s - self._last_s < SHORTEST_S:
            return None, self._model.ram_w
        self._last_s = now_s
        return self._model.cpu_w(), self._model.ram_w


def find(_options: SensorOptions) -> FindResult:
    """Set up the model. This takes a second or two: codecarbon searches a table of CPUs."""
    try:
        model = load_model()
    except ImportError as error:
        finding = Finding("codecarbon", found=False, readable=False, reason=str(error), fix="pip install codecarbon")
        return FindResult(None, (finding,))
    except ModelError as error:
        return FindResult(None, (Finding("codecarbon", found=True, readable=False, reason=str(error)),))
    return result_of(model)


def result_of(model: Model) -> FindResult:
    """Return the sensor of a model that was set up."""
    sensor = CodeCarbon(model)
    low, high = sensor.channels[0].gain
    reason = f"an estimate, times {low:.2g} to {high:.2g}: {sensor.channels[0].source}"
    finding = Finding("codecarbon", found=True, readable=True, reason=reason, read_cost_s=median_cost_s(model.cpu_w))
    return FindResult(sensor, (finding,))


def load_model() -> Model:
    """Return the model of this machine. Raises ImportError without codecarbon, and ModelError where it fails."""
    # The load is the whole machine's, so the size must be too, not that of a batch job's share.
    for variable in ("SLURM_JOB_ID", "SLURM_JOBID"):
        os.environ.pop(variable, None)
    os.environ["CODECARBON_LOG_LEVEL"] = "CRITICAL"
    try:
        from codecarbon.core.cpu import TDP
        from codecarbon.core.util import count_physical_cpus
        from codecarbon.external.hardware import CPU, MODE_CPU_LOAD
        from codecarbon.external.ram import RAM

        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
        tdp = TDP()
        known = _is_known(tdp)
        sockets = count_physical_cpus() if known else 1
        tdp_w = float(tdp.tdp) * sockets
        cpu = CPU.from_utils(output_dir="", mode=MODE_CPU_LOAD, model=tdp.model, tdp=tdp_w)
        cpu.start()
        ram_w = float(RAM(tracking_mode="machine").total_power().W)
    except ImportError:
        raise
    except Exception as error:
        raise ModelError(f"its model fails: {error!r}") from error
    return Model(lambda: float(cpu.total_power().W), ram_w, tdp.model, tdp_w, known)


def _is_known(tdp: object) -> bool:
    """Return whether codecarbon's table has the CPU; False if this version of codecarbon cannot be asked."""
    look_up = getattr(tdp, "_get_cpu_power_from_registry", None)
    return look_up is not None and look_up(getattr(tdp, "model", "")) is not None
