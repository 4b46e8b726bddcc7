"""Make the runs of a reference machine part of the package: without names and traces, packed.

    python -m studies.reference_machines epyc-2-cores runs/ID.json

The folder `suite/results/references/data/NAME` is replaced. A new name also needs a table in `references.toml`.
"""

from __future__ import annotations

import gzip
import shutil
import sys
from pathlib import Path
from typing import Final

from joulemark.reports.anonymous import anonymous
from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import parse, read

DATA: Final = Path(__file__).resolve().parents[1] / "suite" / "results" / "references" / "data"


def without_traces(run_file: RunFile) -> RunFile:
    """Return the run without its traces: readings and summaries stay."""
    return run_file.model_copy(update={"traces": ()})


def write(name: str, paths: list[Path], data: Path = DATA) -> list[Path]:
    """Write the runs at `paths` as the reference machine `name` below `data`; return the files."""
    folder = data / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    written = []
    for run_file in anonymous([without_traces(read(path)) for path in paths]):
        text = run_file.model_dump_json()
        parse(text, name)  # it can be read again
        path = folder / f"{run_file.run.id}.json.gz"
        path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
        written.append(path)
    return written


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python -m studies.reference_machines NAME RUN...")
    for file in write(sys.argv[1], [Path(path) for path in sys.argv[2:]]):
        print(f"{file} ({file.stat().st_size / 1e3:.1f} kB)")
