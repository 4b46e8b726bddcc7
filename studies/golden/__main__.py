"""Make the golden values anew, or check that the kept ones are what the implementations return now."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from golden_values import DATA, Golden, differences, read, write

FAMILIES = (
    "vision_plain",
    "vision_huggingface",
    "vision_mobilenet",
    "language",
    "language_llama",
    "language_transformer",
    "language_recurrent",
    "generative",
    "gan",
    "diffusion",
    "manifolds",
    "kernels",
)


def makers() -> dict[str, Callable[[], Iterator[Golden]]]:
    """Return the function that makes the values of each workload, by id."""
    return {
        workload: make
        for family in FAMILIES
        for workload, make in importlib.import_module(f"studies.golden.{family}").GOLDEN.items()
    }


def changes(golden: Golden) -> list[str]:
    """Return how newly made values differ from those that are kept."""
    with tempfile.TemporaryDirectory() as folder:
        fresh, new = read(write(golden, Path(folder)))
    if not (path := DATA / f"{golden.name}.json").exists():
        return ["not kept"]
    kept, old = read(path)
    lines = [] if str(fresh) == str(kept) else ["weights, inputs, steps or source differ"]
    for kind, arrays in new.items():
        if arrays.keys() != old[kind].keys():
            lines.append(f"{kind}: names differ by {sorted(arrays.keys() ^ old[kind].keys())}")
        else:
            lines += differences(kind, arrays, old[kind])
    return lines


def main(arguments: list[str]) -> int:
    """Write or check the values of the workloads named, or of all; return 1 if any differ, else 0."""
    check = "--check" in arguments
    made = makers()
    names = [name for name in arguments if name != "--check"] or list(made)
    if unknown := sorted(set(names) - set(made)):
        print(f"no golden values are made of {', '.join(unknown)}; there are {', '.join(made)}", file=sys.stderr)
        return 2
    different = 0
    for name in names:
        for golden in made[name]():
            lines = changes(golden) if check else []
            if not check:
                write(golden)
            different += bool(lines)
            print(f"{golden.name}: {'; '.join(lines) or ('as kept' if check else 'written')}", flush=True)
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
