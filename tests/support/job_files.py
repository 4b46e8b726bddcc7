"""Run files of the nodes of one job, with energy that follows from the arguments."""

from __future__ import annotations

from run_files import case, energy, machine, run_file, trial

from joulemark.suite.records import EnergyReading, Node, RunFile, Segment

PACKAGE_W, DRAM_W = 50.0, 10.0
"""Power of the package in the traces of `run_files`, and of the memory in readings."""


def node_file(
    rank: int | None = 0,
    count: int | None = 2,
    boot_id: str | None = None,
    windows: tuple[tuple[float, float], ...] = ((10.0, 2.0),),
    started_at: str = "2026-11-01T12:00:00Z",
    readings: tuple[EnergyReading, ...] | None = None,
    monotonic_s: float = 1000.0,
    **node: object,
) -> RunFile:
    """Return the file of one node: `windows` are begin and length of each trial, seconds.

    Without `readings`, package and dram of each window at constant power; `boot_id` is by default the node's own.
    """
    trials = [
        trial(i, start_s=begin_s, length_s=length_s, readings=readings or constant_power(length_s))
        for i, (begin_s, length_s) in enumerate(windows, 1)
    ]
    fields: dict[str, object] = {
        "job": "0123456789ab",
        "launcher": "torch",
        "host": "node",
        "first_rank": None if rank is None else 4 * rank,
        "ranks": None if count is None else 4 * count,
        "local_ranks": 4,
    }
    made = run_file([case(trials=trials)], id=f"20261101T120000Z-000{rank or 0}", machine=machine(hostname="node"))
    segment = Segment(at_s=0.0, monotonic_s=monotonic_s, boot_id=f"boot-{rank}" if boot_id is None else boot_id)
    run = made.run.model_copy(update={"segments": (segment,), "started_at": started_at})
    record = Node.model_validate({**fields, "rank": rank, "count": count, **node})
    return made.model_copy(update={"node": record, "run": run})


def constant_power(length_s: float) -> tuple[EnergyReading, ...]:
    """Return what package and memory use in so many seconds."""
    return energy(PACKAGE_W * length_s), energy(DRAM_W * length_s, "dram")
