"""The sensor `codecarbon`: its model of CPU and RAM power, the estimate for a CPU without a readable sensor.

Only the sampler's process imports codecarbon, and only its hardware model: no tracker, network, file or output. CPU
power is modelled from its table of thermal design power, times sockets, times (0.1 + 0.9 load^3); RAM power as watts
per memory module.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial

from joulemark.suite.energy.sensor_checks import UNKNOWN_CPU
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions, median_cost_s

PERIOD_S = 0.5
"""The model needs the load over an interval: /proc/stat counts in hundredths of a second."""
SHORTEST_S = 0.2
"""Over a shorter interval that count is too coarse: the read has no value."""
# True over modelled package power, 5th and 95th percentile over 106 load levels on five machines: codecarbon's own
# profiling against RAPL (mlco2/codecarbon, codecarbon/data/hardware/cpu_load_profiling, 2025-01), with RAPL's energy
# over the duration of each level, and the model of codecarbon 3.3 with the machines' own TDP x sockets.
CPU_ERROR_RANGE = (0.70, 4.88)
# An unknown CPU is assumed to need 4 W a thread (codecarbon 3.3, DEFAULT_POWER_PER_CORE). Its own table and the
# vendors' thread counts give 1.9 W (Core i7-8550U, 15 W, 8 threads) to 8.6 W (Xeon E3-1240 v2, 69 W, 8 threads).
UNKNOWN_CPU_ERROR_RANGE = (1.9 / 4, 8.6 / 4)
# The model guesses the number of memory modules from the total; half or twice as many are as common.
RAM_ERROR_RANGE = (0.5, 2.0)


class PowerModel(Sensor):
    """codecarbon's estimate of this machine's CPU and RAM power."""

    name = "codecarbon"
    period_s = PERIOD_S

    def __init__(self, channels: Sequence[Channel], cpu_w: Callable[[], float], ram_w: float) -> None:
        """`cpu_w` returns the mean CPU power since its last call; `ram_w` is the same at any load."""
        super().__init__(channels)
        self._cpu_w = cpu_w
        self._ram_w = ram_w
        self._last_s = time.monotonic()

    def read(self) -> tuple[float | None, float | None]:
        now_s = time.monotonic()
        if now_s - self._last_s < SHORTEST_S:
            return None, self._ram_w
        self._last_s = now_s
        return self._cpu_w(), self._ram_w


def find(_options: SensorOptions) -> FindResult:
    """Set up the model. This takes a second or two: codecarbon searches a table of CPUs."""
    # The load is the whole machine's, so the size must be too, not that of a batch job's share.
    for variable in ("SLURM_JOB_ID", "SLURM_JOBID"):
        os.environ.pop(variable, None)
    os.environ["CODECARBON_LOG_LEVEL"] = "CRITICAL"
    try:
        from codecarbon.core.cpu import TDP
        from codecarbon.core.util import count_physical_cpus
        from codecarbon.external.hardware import CPU, MODE_CPU_LOAD
        from codecarbon.external.ram import RAM
    except ImportError as error:
        finding = Finding("codecarbon", found=False, readable=False, reason=str(error), fix="pip install codecarbon")
        return FindResult(None, (finding,))
    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    try:
        tdp = TDP()
        known = _is_known(tdp)
        sockets = count_physical_cpus() if known else 1
        tdp_w = float(tdp.tdp) * sockets
        cpu = CPU.from_utils(output_dir="", mode=MODE_CPU_LOAD, model=tdp.model, tdp=tdp_w)
        cpu.start()
        ram = RAM(tracking_mode="machine")
        ram_w = float(ram.total_power().W)
    except Exception as error:  # noqa: BLE001 - any failure of another package's model on this machine is a finding
        finding = Finding("codecarbon", found=True, readable=False, reason=f"its model fails: {error!r}")
        return FindResult(None, (finding,))

    def cpu_w() -> float:
        return float(cpu.total_power().W)

    channels = _channels(tdp.model, tdp_w, known, ram_w)
    reason = f"an estimate: {channels[0].source}"
    finding = Finding("codecarbon", found=True, readable=True, reason=reason, read_cost_s=median_cost_s(cpu_w))
    return FindResult(PowerModel(channels, cpu_w, ram_w), (finding,))


def _is_known(tdp: object) -> bool:
    """Return whether codecarbon's table has the CPU; False if this version of codecarbon cannot be asked."""
    look_up = getattr(tdp, "_get_cpu_power_from_registry", None)
    return look_up is not None and look_up(getattr(tdp, "model", "")) is not None


def _channels(cpu_model: str, tdp_w: float, known: bool, ram_w: float) -> tuple[Channel, Channel]:
    low, high = (1.0, 1.0) if known else UNKNOWN_CPU_ERROR_RANGE
    origin = "from codecarbon's table" if known else f"4 W a thread, since codecarbon's table {UNKNOWN_CPU}"
    gain = CPU_ERROR_RANGE[0] * low, CPU_ERROR_RANGE[1] * high
    cpu_source = f"codecarbon's model of {cpu_model} from the machine's load and a TDP of {tdp_w:.0f} W ({origin})"
    ram_source = f"codecarbon's model: {ram_w:.0f} W for this much memory, whatever its load"
    model = partial(Channel, scope="host", unit="W", kind="model")
    return (
        model(component="cpu", average_s=PERIOD_S, gain=gain, source=cpu_source),
        model(component="ram", gain=RAM_ERROR_RANGE, source=ram_source),
    )
