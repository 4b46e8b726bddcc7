"""Derive the table of rated power in the package from those of codecarbon and of the Impact Framework's plugins.

`pip download --no-deps codecarbon==3.3.2` and `npm pack @grnsft/if-plugins@0.3.2` fetch both, WHEEL and TARBALL;
`python -m studies.power_model_rated WHEEL TARBALL` writes `suite/sensors/power_model/data/rated_power.json`.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from joulemark.suite.sensors.power_model.rated_power import FILE, short_name
from studies.power_model_data import architecture_of_name

DATA = Path(__file__).parent.parent / "suite" / "sensors" / "power_model" / "data"
CODECARBON = "codecarbon/data/hardware/cpu_power.csv"
"""Names of processors and their thermal design power."""
AZURE = "package/build/lib/cloud-metadata/azure-instances.csv"
"""Azure's instances: the processors that each may run on, with the threads and the rated power of one."""
SOURCE = "rated power by codecarbon 3.3.2 and Azure's processors by @grnsft/if-plugins 0.3.2 (both MIT)"


def main(wheel: Path, tarball: Path) -> None:
    """Write the table."""
    text = json.dumps(rated_power(wheel, tarball), indent=1, ensure_ascii=False)
    (DATA / FILE).write_text(text + "\n", encoding="utf-8")


def rated_power(wheel: Path, tarball: Path) -> dict[str, Any]:
    """Return the rated power of server processors by name, and how many threads one has, where that is published.

    Where both have a processor, the cloud's own table counts.
    """
    watts: dict[str, float] = {}
    threads: dict[str, int] = {}
    for row in _rows_in_wheel(wheel):
        name = short_name(row["Name"])
        if _is_server(name) and row["TDP"]:
            watts.setdefault(name, float(row["TDP"]))
    for row in _rows_in_tarball(tarball):
        name = short_name(row["cpu-model-name"])
        if "," not in row["cpu-model-name"] and _is_server(name) and row["cpu-cores-available"]:
            watts[name], threads[name] = float(row["cpu-tdp"]), int(float(row["cpu-cores-available"]))
    return {"source": SOURCE, "rated_w": dict(sorted(watts.items())), "threads": dict(sorted(threads.items()))}


def _is_server(name: str) -> bool:
    """Return whether it is a server's processor of a known architecture, and shows its name, as Arm's do not."""
    return architecture_of_name(name) not in (None, "Neoverse N1")


def _rows_in_wheel(path: Path) -> Iterator[Mapping[str, str]]:
    with zipfile.ZipFile(path) as package:
        yield from csv.DictReader(io.StringIO(package.read(CODECARBON).decode("utf-8")))


def _rows_in_tarball(path: Path) -> Iterator[Mapping[str, str]]:
    with tarfile.open(path) as package:
        file = package.extractfile(AZURE)
        yield from csv.DictReader(io.StringIO(file.read().decode("utf-8") if file else ""))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("python -m studies.power_model_rated WHEEL TARBALL: see docs/power.md")
    main(*map(Path, sys.argv[1:]))
