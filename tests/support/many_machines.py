"""Runs of many machines: synthetic, each of another speed and power, the same in every call."""

from __future__ import annotations

from run_files import case, energy, machine, run_file, starting_at, trial

from joulemark.suite.records import Cpu, RunFile
from joulemark.suite.stats.machines.baskets import BASKETS


def speed_of(i: int) -> float:
    """Return how fast machine `i` is relative to machine 0."""
    return 1.03 ** ((i * 37) % 101)


def power_of(i: int) -> float:
    """Return the power of machine `i` under load, watts."""
    return 40.0 + (i * 53) % 71


def machines(count: int, rounds: int = 3) -> list[RunFile]:
    """Return one run of each of `count` machines: the tasks of the first basket in PyTorch eager."""
    return [_run(i, rounds) for i in range(count)]


def _run(i: int, rounds: int) -> RunFile:
    cases = []
    for task, (workload, phase) in enumerate(BASKETS[0].tasks):
        rate = 1000.0 * (task + 1) * speed_of(i)
        trials = [
            trial(n + 1, rate * (1 + 0.01 * ((n * 7 + task + i) % 5 - 2)), 10.0 + 20 * n + 3 * task, readings=[reading])
            for n in range(rounds)
            for reading in [energy(power_of(i) * 2)]
        ]
        cases.append(case(workload, phase=phase, trials=trials))
    cpu = Cpu(model=f"Processor {i:03d}", physical_cores=8, logical_cores=16, usable_cores=16.0)
    of_machine = machine(fingerprint=f"{i:012x}", hostname=f"node-{i:03d}", cpu=cpu)
    run = run_file(cases, id=f"20261101T120000Z-{i:04x}", machine=of_machine)
    return starting_at(run, f"2026-11-01T{i // 60:02d}:{i % 60:02d}:00Z")
