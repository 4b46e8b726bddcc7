"""A tree on disk in the shape of /sys/class/powercap, and a process that drives its counters.

root/devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:0/energy_uj ...
root/class/powercap/intel-rapl:0 -> ../../devices/...           links to all zones, side by side, as Linux has them
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True)
class FakeZone:
    """A zone: its directory name gives type and place (`intel-rapl:0:1`, `intel-rapl-mmio:0`)."""

    number: str
    name: str
    power_w: float = 50.0
    start_uj: int = 1_000_000
    range_uj: int | None = 262_143_328_850
    mirror_of: str | None = None
    """The zone whose counter this one shows too."""


def build(root: Path, zones: Sequence[FakeZone]) -> Path:
    """Make the tree; returns what stands for /sys/class/powercap."""
    top = root / "class" / "powercap"
    top.mkdir(parents=True)
    for zone in zones:
        directory = device(root, zone.number)
        directory.mkdir(parents=True)
        (directory / "name").write_text(f"{zone.name}\n")
        (directory / "energy_uj").write_text(f"{zone.start_uj:020d}\n")
        if zone.range_uj is not None:
            (directory / "max_energy_range_uj").write_text(f"{zone.range_uj}\n")
        (top / zone.number).symlink_to(directory)
    return top


def device(root: Path, number: str) -> Path:
    """The directory of zone `number`."""
    kind, *places = number.split(":")
    path = root / "devices" / "virtual" / "powercap" / kind
    for depth in range(len(places)):
        path = path / ":".join([kind, *places[: depth + 1]])
    return path


class Driver:
    """A process that lets the counters run at constant power, each with its wraps, from `go` for `run_s` seconds.

    Before and after they stand still, so that what was counted in between is known to the microjoule.
    """

    def __init__(self, root: Path, zones: Sequence[FakeZone], run_s: float) -> None:
        self.root, self.zones, self.run_s = root, zones, run_s
        jobs = [asdict(zone) | {"path": str(device(root, zone.number) / "energy_uj")} for zone in zones]
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(jobs), str(run_s)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self) -> None:
        """Let the counters run, and wait until they stand still again."""
        assert self.process.stdout
        self.begin()
        self.process.stdout.readline()

    def begin(self) -> None:
        """Let the counters run."""
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def energy_j(self, number: str) -> float:
        """Joules that zone `number` counts in one run."""
        return next(zone.power_w for zone in self.zones if zone.number == number) * self.run_s

    def __enter__(self) -> Driver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()  # unless it has ended: a run may be meant to outlast the test
        self.process.communicate()


def drive(jobs: Sequence[dict[str, object]], run_s: float) -> None:
    """Write every counter about each millisecond; the last values are exact. In place, as sysfs never renames."""
    files = [os.open(str(job["path"]), os.O_WRONLY) for job in jobs]
    by_number = {str(job["number"]): job for job in jobs}
    begin_s = time.monotonic()
    last = False
    while not last:
        elapsed_s = time.monotonic() - begin_s
        last = elapsed_s >= run_s
        for file, job in zip(files, jobs, strict=True):
            own = by_number[str(job["mirror_of"])] if job["mirror_of"] else job
            counted_uj = round(float(str(own["power_w"])) * min(elapsed_s, run_s) * 1e6)
            value = int(str(own["start_uj"])) + counted_uj
            if own["range_uj"]:
                value %= int(str(own["range_uj"]))
            os.pwrite(file, b"%020d\n" % value, 0)
        time.sleep(0.001)


if __name__ == "__main__":
    sys.stdin.readline()
    drive(json.loads(sys.argv[1]), float(sys.argv[2]))
    print("done", flush=True)
