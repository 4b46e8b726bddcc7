"""The GPUs that a process finds whose vendor libraries are stand-ins."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from places import ROOT

DISCOVER = """
import json, sys
from pathlib import Path
from joulemark.suite.sensors.gpus.inventory import discover
request = json.loads(sys.stdin.read())
for variables in request["selections"]:
    found = discover(variables, Path(request["kfd"]))
    numbered = [[gpu.device for gpu in found.with_device_numbers(uuids)] for uuids in request["seen"]]
    print(json.dumps([[gpu.model_dump() for gpu in found.gpus], found.reason, numbered]))
"""


@dataclass(frozen=True)
class Inventory:
    """The GPUs under one selection of visible devices."""

    gpus: list[dict[str, Any]]
    reason: str | None
    numbered: list[list[str | None]]
    """For each entry of `seen` the devices of the GPUs."""

    @property
    def devices(self) -> list[str | None]:
        """The device of each GPU."""
        return [gpu["device"] for gpu in self.gpus]


def discover(
    environment: Mapping[str, str],
    selections: Sequence[Mapping[str, str]] = ({},),
    seen: Sequence[Sequence[str]] = (),
    kfd: Path = Path("/"),
) -> list[Inventory]:
    """Return the GPUs under each of `selections` (variables such as CUDA_VISIBLE_DEVICES), found by one process.

    `seen` are lists of UUIDs that a framework may see. `kfd` stands for AMD's compute device; the default exists.
    """
    done = subprocess.run(
        [sys.executable, "-c", DISCOVER],
        env={**environment, "PYTHONPATH": str(ROOT)},
        input=json.dumps({"selections": selections, "seen": seen, "kfd": str(kfd)}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [Inventory(*json.loads(line)) for line in done.stdout.splitlines()]
