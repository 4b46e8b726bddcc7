"""Run files for reports: with summaries, and one for each way that a run can end."""

from __future__ import annotations

from collections.abc import Sequence

import responses
from run_files import case, energy, failed_trial, machine, run_file, starting_at, trial
from swept_runs import make_run as make_sweep

from joulemark.suite.records import Case, EnergyReading, Gpu, Kind, Probe, RunFile, SecondOpinion, Trial
from joulemark.suite.results.summary import recompute

_TASKS = (("cnn", "inference", 900.0, 55.0), ("cnn", "training", 300.0, 70.0), ("matmul", "inference", 12.0, 80.0))
"""Workload, phase, items per second, watts."""
_FRAMEWORKS = (("pytorch", "eager", 1.0), ("tensorflow", "graph", 0.8))
"""Framework, mode, relative speed."""
_COMPILED = (("pytorch", "compile", 1.3), ("tensorflow", "xla", 1.1))


def summarised(run: RunFile) -> RunFile:
    """Return `run` with the summaries that the suite computes from its trials."""
    return recompute(run, run.emissions)


def trials(rate: float, power_w: float, start_s: float, rounds: int = 3, kind: Kind = "counter") -> list[Trial]:
    """Return ok trials around `rate` and `power_w` that differ a little, the same in every call."""
    made = []
    for i in range(rounds):
        deviation = 1 + 0.02 * ((i * 7) % 5 - 2) / 2
        readings = _readings(power_w * deviation * 2, kind)
        made.append(trial(i + 1, rate / deviation, start_s=start_s + 18 * i, readings=readings))
    return made


def _readings(energy_j: float, kind: Kind) -> list[EnergyReading]:
    if kind == "unavailable":
        return [energy(None)]
    return [energy(energy_j * 0.9, kind=kind), energy(energy_j * 0.1, "dram", kind)]


def cases(rounds: int = 3, kind: Kind = "counter", frameworks: Sequence[str] = ("pytorch", "tensorflow")) -> list[Case]:
    """Return three tasks in the given frameworks."""
    made: list[Case] = []
    for workload, phase, rate, power_w in _TASKS:
        for framework, mode, factor in _FRAMEWORKS:
            if framework in frameworks:
                of_case = trials(rate * factor, power_w, 8.0 + 3 * len(made), rounds, kind)
                made.append(case(workload, framework, mode, phase, trials=of_case))
    return made


def full(**fields: object) -> RunFile:
    """Return a run of three tasks in two frameworks, and one failed case, with probes and a second opinion."""
    failed = case("cnn", "tensorflow", "xla", "training", trials=[failed_trial(1)])
    probes = [
        Probe(framework=name, device="cpu", precision="fp32", threads=2, flops_per_s=flops, bytes_per_s=2e10)
        for name, flops in (("pytorch", 2.4e11), ("tensorflow", 2.2e11))
    ]
    second_opinion = SecondOpinion(
        tool="codecarbon",
        version="3.3.2",
        window_s=(0.0, 60.0),
        energy_j={"cpu": 2400.0, "ram": 120.0, "gpu": None},
        methods={"cpu": "TDP and load", "ram": "a constant by memory size", "gpu": "none found"},
        ours=(energy(3000.0), energy(None, "dram")),
        differences=("It uses the processor's TDP, Joulemark reads a counter.",),
    )
    defaults: dict[str, object] = {"probes": tuple(probes), "second_opinion": second_opinion}
    return summarised(run_file([*cases(), failed], **{**defaults, **fields}))


def several_batch_sizes() -> RunFile:
    """Return one case at three batch sizes."""
    sizes = ((8, 100.0, 8.0), (16, 180.0, 11.0), (32, 260.0, 14.0))
    made = [
        case(batch_size=size, id=f"cnn:small/training/pytorch/eager/cpu/fp32/b{size}", trials=trials(rate, 60.0, at_s))
        for size, rate, at_s in sizes
    ]
    return summarised(run_file(made))


def on_gpu(id: str = "20261102T120000Z-b2c3", started_at: str = "2026-11-02T12:00:00Z", speed: float = 8.0) -> RunFile:
    """Return a run on a machine with a GPU: the same tasks on the CPU and on the GPU, whose memory is not metered."""
    gpu = Gpu(
        index=0,
        vendor="nvidia",
        name="Test GPU",
        uuid="GPU-1a2b3c4d",
        pci_bus_id="0000:01:00.0",
        memory_bytes=24 * 2**30,
        driver="580.1",
        power_limit_w=350.0,
        device="cuda:0",
    )
    made = cases()
    for workload, phase, rate, power_w in _TASKS:
        for framework, mode, factor in (*_FRAMEWORKS, *_COMPILED):
            compiled = mode in {"compile", "xla"}
            of_case = [
                on_cpu.model_copy(
                    update={
                        "peak_memory_bytes": {"host": 900_000_000, "device": 2_000_000_000},
                        "compile_cache": ("cold" if on_cpu.round == 1 else "warm") if compiled else None,
                        "first_call_s": (30.0 if on_cpu.round == 1 else 4.0) if compiled else 0.4,
                        "energy": (*on_cpu.energy, energy(power_w * 8, "gpu"), energy(None, "module")),
                    }
                )
                for on_cpu in trials(rate * factor * speed, power_w / 2, 10.0 + 2 * len(made))
            ]
            made.append(case(workload, framework, mode, phase, "cuda:0", trials=of_case))
    run = run_file(made, id=id, machine=machine(fingerprint="ffeeddccbbaa", hostname="gpu-1", gpus=(gpu,)))
    return summarised(starting_at(run, started_at))


def run_on_day(day: int, factor: float) -> RunFile:
    """Return a run of the same cases on the same machine in November 2026, `factor` times as fast."""
    made: list[Case] = []
    for workload, phase, rate, power_w in _TASKS:
        for framework, mode, slower in _FRAMEWORKS:
            of_case = trials(rate * slower * factor, power_w, 8.0 + 3 * len(made))
            made.append(case(workload, framework, mode, phase, trials=of_case))
    run = run_file(made, id=f"202611{day:02d}T120000Z-{day:04x}")
    return summarised(starting_at(run, f"2026-11-{day:02d}T12:00:00Z"))


def report_inputs() -> dict[str, list[RunFile]]:
    """Return every kind of input that a report can have, by name."""
    of_framework = {name: run_file(cases(frameworks=[name])) for name in ("pytorch", "tensorflow")}
    second_run = run_file(of_framework["tensorflow"].cases, id="20261101T130000Z-c3d4")
    failed = [case(trials=[failed_trial()]), case(framework="tensorflow", trials=[failed_trial()])]
    return {
        "full": [full()],
        "one-case": [summarised(run_file([case(trials=trials(100.0, 50.0, 8.0))]))],
        "one-framework": [summarised(of_framework["tensorflow"])],
        "all-failed": [run_file(failed)],
        "one-trial": [summarised(run_file(cases(rounds=1)))],
        "no-sensors": [summarised(run_file(cases(kind="unavailable"), traces=(), idle=()))],
        "estimates": [summarised(run_file(cases(kind="model")))],
        "gpu": [on_gpu()],
        "two-machines": [full(), on_gpu()],
        "two-frameworks-apart": [summarised(of_framework["pytorch"]), summarised(second_run)],
        "twelve-runs": [run_on_day(day, 1 + 0.01 * (day % 5) + (0.1 if day > 8 else 0)) for day in range(1, 13)],
        "batches": [several_batch_sizes()],
        "sweep": [make_sweep(host_watts=300.0, confirmed=(600, 700), zone="CH")],
        "responses": [responses.several_batch_sizes()],
        "no-cases": [run_file([])],
    }
