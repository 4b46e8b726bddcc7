"""Run files for tests of whatever reads one. Every number in them follows from the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from joulemark import __version__
from joulemark.suite.records import (
    COUNTS,
    Case,
    Channel,
    Cpu,
    Emissions,
    EnergyReading,
    Floor,
    FrameworkInfo,
    Idle,
    Intensity,
    Kind,
    Machine,
    Parameters,
    Pue,
    Result,
    Run,
    RunFile,
    Segment,
    Settings,
    Trace,
    Trial,
    Work,
    WorkCount,
)
from joulemark.suite.results.summary import recompute

CH = Intensity(g_per_kwh=39.22, source="Ember 2025", zone="CH", basis="lifecycle", signal="average", vintage=2025)


def energy(
    energy_j: float | None = 100.0, component: str = "package", kind: Kind = "counter", gain: float = 0.02
) -> EnergyReading:
    """Return a reading whose sensor is accurate to +-`gain`; without energy, one that was not measured."""
    if energy_j is None:
        return EnergyReading(
            component=component,
            scope=f"{component}-0",
            kind="unavailable",
            attributed=True,
            energy_j=None,
            reason="absent",
        )
    return EnergyReading(
        component=component,
        scope=f"{component}-0",
        kind=kind,
        attributed=True,
        energy_j=energy_j,
        low_j=energy_j * (1 - gain),
        high_j=energy_j * (1 + gain),
        gain=(1 - gain, 1 + gain),
        tick_s=0.001,
        samples=30,
        sensor="rapl",
    )


def trial(
    round: int = 1,
    rate: float = 100.0,
    start_s: float = 10.0,
    length_s: float = 2.0,
    readings: Sequence[EnergyReading] | None = None,
) -> Trial:
    """Return an ok trial: a window of `length_s` seconds in 10 blocks, with steps of one item at `rate` items/s."""
    blocks = 10
    items = int(rate * length_s)
    return Trial(
        round=round,
        status="ok",
        started_s=start_s - 1,
        isolation="fork",
        load_s=0.5,
        first_call_s=0.2,
        warmup_steps=5,
        steady="steady",
        steps_per_block=max(1, items // blocks),
        block_s=(length_s / blocks,) * blocks,
        window_s=(start_s, start_s + length_s),
        steps=items,
        items=items,
        result=Result(first={"loss": 2.3}, last={"loss": 2.1}),
        peak_memory_bytes={"host": 300_000_000, "device": None},
        counters={"page_faults": 3.0, "context_switches": 0.5},
        energy=tuple(readings if readings is not None else [energy(50.0 * length_s)]),
    )


def work(**counts: float | str) -> Work:
    """Return the work of a step by its counts: numbers, or the reason why there is none."""
    return Work(
        counts={
            key: WorkCount(
                unit=COUNTS[key].unit, **({"value": None, "reason": n} if isinstance(n, str) else {"value": n})
            )
            for key, n in counts.items()
        }
    )


def failed_trial(
    round: int = 1, reason_code: str = "out_of_memory", reason: str = "out of memory: asked for 9 GiB"
) -> Trial:
    """Return a failed trial."""
    return Trial(round=round, status="failed", reason_code=reason_code, reason=reason, started_s=5.0)


def case(
    workload: str = "cnn",
    framework: str = "pytorch",
    mode: str = "eager",
    phase: str = "training",
    device: str = "cpu",
    trials: Sequence[Trial] | None = None,
    **fields: object,
) -> Case:
    """Return a case with `trials`, by default three ok trials at 95, 100 and 105 items/s."""
    if trials is None:
        trials = [trial(i + 1, rate, start_s=10.0 + 10 * i) for i, rate in enumerate((95.0, 100.0, 105.0))]
    ok = any(trial.status == "ok" for trial in trials)
    values: dict[str, object] = {
        "id": f"{workload}:small/{phase}/{framework}/{mode}/{device}/fp32/b32",
        "workload": workload,
        "workload_version": "0123456789ab",
        "size": "small",
        "phase": phase,
        "framework": framework,
        "mode": mode,
        "device": device,
        "precision": "fp32",
        "batch_size": 32,
        "threads": 2,
        "allocator": "default",
        "item": "image",
        "flops_per_item": 2.5e8,
        "bytes_per_item": 1.0e6,
        "unfused_bytes_per_item": 5.0e7,
        "parameters": Parameters(total=1_000_000, trainable=990_000),
        "status": "ok" if ok else "failed",
        "reason": None if ok else "every trial failed",
        "trials": tuple(trials),
    }
    return Case.model_validate(values | fields)


def machine(**fields: object) -> Machine:
    """Return a machine of two cores without a GPU."""
    values: dict[str, object] = {
        "fingerprint": "aabbccddeeff",
        "hostname": "bench-1",
        "os": "Linux 6.1",
        "cpu": Cpu(model="Test CPU", physical_cores=2, logical_cores=2, usable_cores=2.0),
        "memory_bytes": 16 * 2**30,
        "frameworks": {
            "pytorch": FrameworkInfo(version="2.13.0", python="3.11.7", build="cpu"),
            "tensorflow": FrameworkInfo(version="2.21.0", python="3.11.7", build="cpu"),
        },
        "packages": {"numpy": "2.4.6"},
    }
    return Machine.model_validate(values | fields)


def trace(seconds: float = 60.0, power_w: float = 50.0) -> Trace:
    """Return the trace of a counter like RAPL, read at 10 Hz under constant power."""
    times = tuple(i / 10 for i in range(int(seconds * 10) + 1))
    return Trace(
        sensor="rapl",
        t_s=times,
        read_cost_s=2e-5,
        channels=(
            Channel(
                component="package",
                scope="package-0",
                unit="J",
                kind="counter",
                tick_s=0.001,
                gain=(0.98, 1.02),
                source="powercap intel-rapl:0",
                values=tuple(power_w * t for t in times),
            ),
        ),
    )


def run_file(cases: Sequence[Case] | None = None, id: str = "20261101T120000Z-a1b2", **fields: object) -> RunFile:
    """Return a run of `cases` with their summaries, by default of cnn training in two frameworks."""
    if cases is None:
        cases = [case(), case(framework="tensorflow", mode="graph")]
    values: dict[str, object] = {
        "run": Run(
            id=id,
            started_at="2026-11-01T12:00:00Z",
            finished_at="2026-11-01T12:02:00Z",
            segments=(Segment(at_s=0.0, monotonic_s=1000.0),),
            command=("joulemark", "run"),
            profile="quick",
            suite_version=__version__,
            complete=True,
            order_seed=1,
            rounds=max((len(c.trials) for c in cases), default=1),
        ),
        "machine": machine(),
        "settings": Settings(zone="CH"),
        "cases": tuple(cases),
        "idle": tuple(
            Idle(when=when, window_s=window, energy=(energy(20.0 * (window[1] - window[0])),))
            for when, window in (("before", (0.0, 5.0)), ("after", (50.0, 55.0)))
        ),
        "floor": tuple(Floor(at_s=float(t), arithmetic_s=0.05, copy_s=0.02) for t in (6, 30, 49)),
        "traces": (trace(),),
        "emissions": Emissions(intensity=CH, pue=Pue(value=1.0, source="one's own machine")),
    }
    file = RunFile.model_validate(values | fields)
    return recompute(file, file.emissions).model_copy(update={"notices": file.notices})


def starting_at(file: RunFile, time: str) -> RunFile:
    """Return the run as if it had started at `time`, ISO 8601, and taken two minutes."""
    end = datetime.fromisoformat(time) + timedelta(minutes=2)
    run = file.run.model_copy(update={"started_at": time, "finished_at": end.isoformat()})
    return file.model_copy(update={"run": run})
