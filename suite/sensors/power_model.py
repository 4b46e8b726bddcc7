"""The estimate where the processor has no readable sensor: codecarbon's hardware model of CPU and RAM.

Only the sampler's process imports codecarbon, and of it only the hardware model: no tracker, network, file or output.
CPU: its table of thermal design power, times sockets, times (0.1 + 0.9 load^3); RAM: watts a memory module.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from joulemark.suite.energy.sensor_checks import UNKNOWN_CPU
from joulemark.suite.records import BoardState, Channel
from joulemark.suite.sensors.base import Finding, Opened, Options

PERIOD_S = 0.5
"""The model needs the load over a while: /proc/stat counts in hundredths of a second."""
SHORTEST_S = 0.2
"""Over less than this, that count says too little of the load: no value then."""

# True over modelled package power, 5th and 95th percentile over 106 points of load on five machines: codecarbon's own
# profiling against RAPL (mlco2/codecarbon, codecarbon/data/hardware/cpu_load_profiling, 2025-01), with RAPL's energy
# over the duration of each point, and the model of codecarbon 3.3 with the machines' own TDP x sockets.
CPU_GAIN = (0.70, 4.88)
# An unknown CPU is taken for 4 W a thread (codecarbon 3.3, DEFAULT_POWER_PER_CORE). Its own table and the makers'
# thread counts give 1.9 W (Core i7-8550U, 15 W, 8 threads) to 8.6 W (Xeon E3-1240 v2, 69 W, 8 threads).
UNKNOWN_CPU_GAIN = (1.9 / 4, 8.6 / 4)
# The model guesses the number of memory modules from the total; half or twice as many are as usual.
RAM_GAIN = (0.5, 2.0)


class Model:
    """codecarbon's estimate of this machine's CPU and RAM power."""

    name = "codecarbon"
    simulated = False
    stamp_s: float | None = None
    period_s = PERIOD_S
    wrap_j: tuple[float | None, ...] = (None, None)

    def __init__(self, channels: tuple[Channel, ...], cpu_w: Callable[[], float], ram_w: float) -> None:
        """`cpu_w` gives the mean power since its last call; `ram_w` is the same at any load."""
        self.channels = channels
        self._cpu_w = cpu_w
        self._ram_w = ram_w
        self._last_s = time.monotonic()

    def read(self) -> tuple[float | None, float | None]:
        now_s = time.monotonic()
        if now_s - self._last_s < SHORTEST_S:
            return None, self._ram_w
        self._last_s = now_s
        return self._cpu_w(), self._ram_w

    def states(self) -> tuple[BoardState, ...]:
        return ()

    def close(self) -> None:
        """Holds nothing."""


def find(_options: Options) -> Opened:
    """Set the model up. Takes a second or two: it looks the processor up in a table."""
    # The load it uses is the whole machine's, so the size must be too, not that of a batch job's share.
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
        return Opened(None, (finding,))
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
    except Exception as error:  # noqa: BLE001 - whatever another package's model meets on this machine is a finding
        return Opened(None, (Finding("codecarbon", found=True, readable=False, reason=f"its model fails: {error!r}"),))
    return _opened(lambda: float(cpu.total_power().W), ram_w, tdp.model, tdp_w, known)


def _is_known(tdp: object) -> bool:
    """Whether codecarbon's table knows the processor; not, where this codecarbon does not let us ask."""
    look_up = getattr(tdp, "_get_cpu_power_from_registry", None)
    return look_up is not None and look_up(getattr(tdp, "model", "")) is not None


def _opened(cpu_w: Callable[[], float], ram_w: float, model: str, tdp_w: float, known: bool) -> Opened:
    extra = (1.0, 1.0) if known else UNKNOWN_CPU_GAIN
    origin = "by codecarbon's table" if known else f"4 W a thread, since codecarbon's table {UNKNOWN_CPU}"
    cpu_source = f"codecarbon's model of {model} from the machine's load and a TDP of {tdp_w:.0f} W ({origin})"
    channels = (
        Channel(
            component="cpu",
            scope="host",
            unit="W",
            kind="model",
            average_s=PERIOD_S,
            gain=(CPU_GAIN[0] * extra[0], CPU_GAIN[1] * extra[1]),
            source=cpu_source,
        ),
        Channel(
            component="ram",
            scope="host",
            unit="W",
            kind="model",
            gain=RAM_GAIN,
            source=f"codecarbon's model: {ram_w:.0f} W for this much memory, whatever its load",
        ),
    )
    begin = time.perf_counter()
    cpu_w()
    cost_s = time.perf_counter() - begin
    finding = Finding("codecarbon", found=True, readable=True, reason=f"an estimate: {cpu_source}", read_cost_s=cost_s)
    return Opened(Model(channels, cpu_w, ram_w), (finding,))
