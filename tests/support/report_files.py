"""Run files as a report meets them: with summaries, and one for each way that a run can go."""

from __future__ import annotations

from collections.abc import Sequence

from run_files import case, energy, failed_trial, machine, run_file, trial

from joulemark.suite.records import Case, EnergyReading, Gpu, Kind, Probe, RunFile, SecondOpinion, Trial
from joulemark.suite.results.summary import recompute

_WORK = (("cnn", "inference", 900.0, 55.0), ("cnn", "training", 300.0, 70.0), ("matmul", "inference", 12.0, 80.0))
_FRAMEWORKS = (("pytorch", "eager", 1.0), ("tensorflow", "graph", 0.8))


def summarised(run: RunFile) -> RunFile:
    """`run` with the summaries that the suite itself makes of its trials."""
    return recompute(run, run.emissions)


def trials(rate: float, power_w: float, start_s: float, rounds: int = 3, kind: Kind = "counter") -> list[Trial]:
    """Ok trials around `rate` and `power_w` that differ a little, and alike in every call."""
    found = []
    for i in range(rounds):
        off = 1 + 0.02 * ((i * 7) % 5 - 2) / 2
        readings = _readings(power_w * off * 2, kind)
        found.append(trial(i + 1, rate / off, start_s=start_s + 18 * i, readings=readings))
    return found


def _readings(energy_j: float, kind: Kind) -> list[EnergyReading]:
    if kind == "unavailable":
        return [energy(None)]
    return [energy(energy_j * 0.9, kind=kind), energy(energy_j * 0.1, "dram", kind)]


def cases(rounds: int = 3, kind: Kind = "counter", frameworks: Sequence[str] = ("pytorch", "tensorflow")) -> list[Case]:
    """Three workloads in the frameworks named."""
    found = []
    for workload, phase, rate, power_w in _WORK:
        for framework, mode, factor in _FRAMEWORKS:
            if framework in frameworks:
                ran = trials(rate * factor, power_w, 8.0 + 3 * len(found), rounds, kind)
                found.append(case(workload, framework, mode, phase, trials=ran))
    return found


def full(**more: object) -> RunFile:
    """A run with three workloads in two frameworks, and one case that failed."""
    failed = case("cnn", "tensorflow", "xla", "training", trials=[failed_trial(1)])
    probes = [
        Probe(framework=name, device="cpu", precision="fp32", threads=2, flops_per_s=flops, bytes_per_s=2e10)
        for name, flops in (("pytorch", 2.4e11), ("tensorflow", 2.2e11))
    ]
    said = SecondOpinion(
        tool="codecarbon",
        version="3.3.2",
        window_s=(0.0, 60.0),
        energy_j={"cpu": 2400.0, "ram": 120.0, "gpu": None},
        methods={"cpu": "TDP and load", "ram": "a constant by memory size", "gpu": "none found"},
        ours=(energy(3000.0), energy(None, "dram")),
        differences=("It takes the processor's TDP, we read a counter.",),
    )
    extras: dict[str, object] = {"probes": tuple(probes), "second_opinion": said}
    return summarised(run_file([*cases(), failed], **{**extras, **more}))


def batches() -> RunFile:
    """One case at three batch sizes."""
    found = [
        case(batch_size=size, id=f"cnn:small/training/pytorch/eager/cpu/fp32/b{size}", trials=trials(rate, 60.0, at_s))
        for size, rate, at_s in ((8, 100.0, 8.0), (16, 180.0, 11.0), (32, 260.0, 14.0))
    ]
    return summarised(run_file(found))


def on_gpu(id: str = "20261102T120000Z-b2c3", started_at: str = "2026-11-02T12:00:00Z", speed: float = 8.0) -> RunFile:
    """A machine with a board: the same work on the CPU and on the board, whose memory is not metered."""
    board = Gpu(
        index=0,
        vendor="nvidia",
        name="Test Board",
        uuid="GPU-1a2b3c4d",
        pci_bus_id="0000:01:00.0",
        memory_bytes=24 * 2**30,
        driver="580.1",
        power_limit_w=350.0,
        device="cuda:0",
    )
    found = list(cases())
    for workload, phase, rate, power_w in _WORK:
        for framework, mode, factor in (*_FRAMEWORKS, ("pytorch", "compile", 1.3), ("tensorflow", "xla", 1.1)):
            ran = [
                ok.model_copy(
                    update={
                        "peak_memory_bytes": {"host": 900_000_000, "device": 2_000_000_000},
                        "compile_cache": ("cold" if ok.round == 1 else "warm") if mode in {"compile", "xla"} else None,
                        "first_call_s": (30.0 if ok.round == 1 else 4.0) if mode in {"compile", "xla"} else 0.4,
                        "energy": (*ok.energy, energy(power_w * 8, "gpu"), energy(None, "module")),
                    }
                )
                for ok in trials(rate * factor * speed, power_w / 2, 10.0 + 2 * len(found))
            ]
            found.append(case(workload, framework, mode, phase, "cuda:0", trials=ran))
    run = run_file(found, id=id, machine=machine(fingerprint="ffeeddccbbaa", hostname="gpu-1", gpus=(board,)))
    return summarised(run.model_copy(update={"run": run.run.model_copy(update={"started_at": started_at})}))


def later(day: int, factor: float) -> RunFile:
    """The full run on the same machine some days later, `factor` times as fast."""
    found = []
    for index, (workload, phase, rate, power_w) in enumerate(_WORK):
        for place, (framework, mode, slower) in enumerate(_FRAMEWORKS):
            ran = trials(rate * slower * factor, power_w, 8.0 + 3 * (2 * index + place))
            found.append(case(workload, framework, mode, phase, trials=ran))
    run = run_file(found, id=f"202611{day:02d}T120000Z-{day:04x}")
    started_at = f"2026-11-{day:02d}T12:00:00Z"
    return summarised(run.model_copy(update={"run": run.run.model_copy(update={"started_at": started_at})}))


def ways() -> dict[str, list[RunFile]]:
    """Every way that a report's input can be, by name."""
    one = case(trials=trials(100.0, 50.0, 8.0))
    return {
        "full": [full()],
        "one-case": [summarised(run_file([one]))],
        "one-framework": [summarised(run_file(cases(frameworks=["tensorflow"])))],
        "all-failed": [
            run_file([case(trials=[failed_trial()]), case(framework="tensorflow", trials=[failed_trial()])])
        ],
        "one-trial": [summarised(run_file(cases(rounds=1)))],
        "no-sensors": [summarised(run_file(cases(kind="unavailable"), traces=(), idle=()))],
        "estimates": [summarised(run_file(cases(kind="model")))],
        "board": [on_gpu()],
        "two-machines": [full(), on_gpu()],
        "two-frameworks-apart": [
            summarised(run_file(cases(frameworks=["pytorch"]))),
            summarised(run_file(cases(frameworks=["tensorflow"]), id="20261101T130000Z-c3d4")),
        ],
        "twelve-runs": [later(day, 1 + 0.01 * (day % 5) + (0.1 if day > 8 else 0)) for day in range(1, 13)],
        "batches": [batches()],
        "no-cases": [run_file([])],
    }
