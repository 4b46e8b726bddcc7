"""Run files of the same case on all GPUs of a machine, alone and at once, whose true speeds and powers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from run_files import case, energy, machine, run_file, trace, trial

from joulemark.suite.records import EnergyReading, Gpu, GpuState, RankWindow, RunFile, Trial
from joulemark.suite.results.gpus.across import with_gpus_compared

NEIGHBOURS = 0.96
"""Throughput of each GPU when all work, over that alone."""
HOST_W, GPU_W, IDLE_W = 80.0, 400.0, 70.0
RATE = 1000.0
LENGTH_S = 5.0
ROUND = (1.0, 1.01, 0.985)
"""What rounds do to all GPUs."""


def gpus(count: int) -> list[Gpu]:
    """Return so many GPUs."""
    return [
        Gpu(index=i, vendor="nvidia", name="Test GPU", uuid=f"GPU-{i}", pci_bus_id=f"{i:02x}", device=f"cuda:{i}")
        for i in range(count)
    ]


def run_on(
    speeds: Sequence[float], warm: Mapping[int, float] | None = None, rounds: int = 3, sensors: bool = True
) -> RunFile:
    """Return a run on GPUs of these speeds, relative to RATE; `warm`: those that are slower and throttled at once."""
    count, warm, at_s = len(speeds), warm or {}, iter(range(10, 100000, 10))
    alone: list[list[Trial]] = [[] for _ in speeds]
    together: list[Trial] = []
    states: list[GpuState] = []
    for number in range(1, rounds + 1):
        factor = RATE * ROUND[(number - 1) % len(ROUND)]
        for i, speed in enumerate(speeds):
            start_s = float(next(at_s))
            wiggle = 1 + 0.001 * ((7 * i + 3 * number) % 5 - 2)
            readings = _readings(count, [i], sensors)
            alone[i].append(trial(number, factor * speed * wiggle, start_s, LENGTH_S, readings))
        start_s = float(next(at_s))
        rates = [factor * NEIGHBOURS * speed * warm.get(i, 1.0) for i, speed in enumerate(speeds)]
        whole = trial(number, sum(rates), start_s, LENGTH_S, _readings(count, range(count), sensors))
        windows = [_rank(i, rate, start_s) for i, rate in enumerate(rates)]
        together.append(whole.model_copy(update={"ranks": tuple(windows)}))
        states += [_state(start_s + 1, i, i in warm) for i in range(count)]
    boards = gpus(count)
    cases = [case(device=f"cuda:{i}", trials=trials, allocator="retain") for i, trials in enumerate(alone)]
    id = f"{cases[0].id}+communication=none+ranks={count}"
    cases.append(case(device="cuda:0", trials=together, id=id, ranks=count, scaling="weak", allocator="retain"))
    traces = [trace().model_copy(update={"states": tuple(states)})]
    compared = with_gpus_compared(cases, boards, traces)
    return run_file(compared, machine=machine(gpus=boards), traces=traces)


def _readings(count: int, working: Sequence[int] | range, sensors: bool) -> list[EnergyReading]:
    """Return the host and every GPU, of which those that work are attributed."""
    powers = [GPU_W + 10 * i if i in working else IDLE_W for i in range(count)]
    return [
        energy(HOST_W * LENGTH_S),
        *(
            energy(power_w * LENGTH_S if sensors else None, "gpu").model_copy(
                update={"scope": f"GPU-{i}", "attributed": i in working}
            )
            for i, power_w in enumerate(powers)
        ),
    ]


def _rank(number: int, rate: float, start_s: float) -> RankWindow:
    steps = round(rate * LENGTH_S)
    window = (start_s, start_s + steps / rate)
    return RankWindow(rank=number, device=f"cuda:{number}", window_s=window, steps=steps, items=steps)


def _state(t_s: float, number: int, hot: bool) -> GpuState:
    throttled = ("power_cap", "thermal") if hot else ("power_cap",)
    return GpuState(t_s=t_s, scope=f"GPU-{number}", throttled=throttled)
