"""Real processes that are ranks of a job, each with a meter of its own on a simulated processor.

The windows begin before the processor's counters run and end once they stand still again, so that what they hold is
known to the microjoule, whenever each began.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from command import environment
from powercap import Driver, FakeZone, build

PACKAGE_W, DRAM_W = 50.0, 10.0
RUN_S = 0.3
TRUE_J = (PACKAGE_W + DRAM_W) * RUN_S
READS = 3
"""Of the counters at either end of a window."""
TIMEOUT_S = 300.0

COMMON = """
import json, os, pathlib, signal, sys, time
import joulemark
folder, parent = pathlib.Path(sys.argv[1]), os.getppid()
def wait(name, rank):
    while not (folder / name).exists():
        if os.getppid() != parent:
            os._exit(1)  # a launcher that the test has ended
        if (folder / f"die-{rank}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
def report(rank, measurement, path=""):
    energy, span = measurement.energy, [measurement.begin_s, measurement.end_s]
    result = {"energy_j": energy.value, "reason": energy.reason, "span": span, "path": str(path)}
    (folder / f"result-{rank}.json").write_text(json.dumps(result))
"""

METER = """
rank, backend = os.environ["RANK"], sys.argv[2]
meter = joulemark.Meter("job", zone="CH", sensor="rapl")
meter.keep(folder / "job.json")
if backend == "gloo":
    import torch.distributed
    torch.distributed.init_process_group("gloo")
    meter.align(torch.distributed.barrier)
(folder / f"ready-{rank}").touch()
wait("go", rank)
with meter:
    (folder / f"open-{rank}").touch()
    wait("close", rank)
report(rank, meter.last, meter.save(folder / "job.json"))
"""

HOLD = """
is_held = False
def hold(rank):
    "Wait in the first step of all, while the counters run."
    global is_held
    if not is_held:
        is_held = True
        (folder / f"ready-{rank}").touch()
        wait("go", rank)
        (folder / f"open-{rank}").touch()
        wait("close", rank)
"""

TRAINING = f"""{HOLD}
from joulemark.training_callback import TrainingCallbackMixin
rank, callback = os.environ["RANK"], TrainingCallbackMixin()
callback.set_up("pytorch", "fit", 1, folder / "job.json", {{"zone": "CH", "sensor": "rapl"}})
callback.begin_training()
callback.training.begin_epoch()
for _ in range(2):
    callback.training.begin_step()
    hold(rank)
callback.training.end_epoch()
callback.finish()
report(rank, callback.whole)
"""
"""What the callbacks of all frameworks do in a training."""


def variables(rank: int, ranks: int, nodes: int = 1) -> dict[str, str]:
    """Return the environment variables of a rank of torchrun's, whose nodes have equal numbers of ranks."""
    local_ranks = ranks // nodes
    numbers = {
        "RANK": rank,
        "WORLD_SIZE": ranks,
        "LOCAL_RANK": rank % local_ranks,
        "LOCAL_WORLD_SIZE": local_ranks,
        "GROUP_RANK": rank // local_ranks,
        "GROUP_WORLD_SIZE": nodes,
    }
    return {name: str(number) for name, number in numbers.items()}


def _reads(trace: Path) -> int:
    return trace.read_bytes().count(b'"v":')


class Job:
    """Ranks in `folder`, and the counters that they read."""

    def __init__(self, folder: Path) -> None:
        """Build the processor; nothing runs yet."""
        self.folder = folder
        zones = [FakeZone("intel-rapl:0", "package-0", PACKAGE_W), FakeZone("intel-rapl:0:0", "dram", DRAM_W)]
        self.powercap = build(folder / "sys", zones)
        self.driver = Driver(folder / "sys", zones, RUN_S)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(
        self,
        own: Mapping[str, str] = {},
        launcher: Sequence[str] = (),
        backend: str = "none",
        program: str = METER,
        before: Sequence[str] = (),
    ) -> None:
        """Start `program` as a rank with variables of its `own`, or by a `launcher` that starts some.

        `launcher` are arguments of the interpreter; `before` is a command that starts interpreters.
        """
        (self.folder / "program.py").write_text(COMMON + program)
        command = [*before, sys.executable, *launcher, "program.py", str(self.folder), backend]
        everybody = environment(self.folder / "home", JOULEMARK_POWERCAP_ROOT=str(self.powercap), OMP_NUM_THREADS="1")
        self.processes.append(subprocess.Popen(command, cwd=self.folder, env={**everybody, **own}))

    def wait(self, name: str, ranks: Sequence[int]) -> None:
        """Wait until each of `ranks` has made its file `name`."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while not all((self.folder / f"{name}-{rank}").exists() for rank in ranks):
            assert time.monotonic() < deadline_s, os.listdir(self.folder)
            assert not any(process.poll() for process in self.processes)
            time.sleep(0.01)

    def open_windows(self, ranks: Sequence[int]) -> None:
        """Let all ranks begin their windows."""
        self.wait("ready", ranks)
        (self.folder / "go").touch()
        self.wait("open", ranks)

    def run_counters(self) -> None:
        """Let the counters run for `RUN_S`, between `READS` of each sampler while they stand still."""
        self._wait_for_reads()
        self.driver.run()
        self._wait_for_reads()

    def _wait_for_reads(self) -> None:
        traces = list((self.folder / "home" / "tmp").rglob("sampler.trace"))
        assert traces, "no meter samples"
        before = [_reads(trace) for trace in traces]
        deadline_s = time.monotonic() + TIMEOUT_S
        while any(_reads(trace) < count + READS for trace, count in zip(traces, before, strict=True)):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    def end(self) -> list[int]:
        """Let all ranks end their windows; return their exit codes."""
        (self.folder / "close").touch()
        return [process.wait(TIMEOUT_S) for process in self.processes]

    def result(self, rank: int) -> Any:
        """Return what the meter of `rank` measured."""
        return json.loads((self.folder / f"result-{rank}.json").read_text())

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.driver.process.kill()
        self.driver.process.communicate()
