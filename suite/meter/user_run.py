"""A user's own code as a run: its case, its trials and its plan, in the schema of every run file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from joulemark import __version__
from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Case, Emissions, Machine, Node, Notice, Run, RunFile, Segment, Settings, Trial
from joulemark.suite.records.checks.run_file import traffic_problems
from joulemark.suite.records.run_id import new_run_id
from joulemark.suite.system.clock import boot_id
from joulemark.suite.system.redaction import redacted_command, redacted_document

AS_IS = "as-is"
"""A mode or precision that joulemark neither chose nor knows."""

DEFAULTS: Mapping[str, Any] = {
    "framework": "own",
    "mode": AS_IS,
    "phase": "run",
    "precision": AS_IS,
    "batch_size": 1,
    "item": "run",
    "workload_version": "own",
}
"""Fields of a case that the code may describe itself with, `about=` of a meter, and their values where it does not."""
ABOUT_KEYS = (*DEFAULTS, "flops_per_item", "bytes_per_item", "unfused_bytes_per_item")


def program_version(program: Sequence[str]) -> str:
    """Return the workload version of a command: a hash of its words, since nothing more is known of what it does."""
    words = redacted_command(program)  # a hash of a weak password tells it
    return hashlib.sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()[:12]


def case(name: str, device: str, threads: int, about: Mapping[str, Any] | None = None) -> Case:
    """Return the case that windows called `name` are trials of.

    Raises:
        UsageError: where `about` has a key that is not in ABOUT_KEYS, or a value that its field does not take.
    """
    fields = {**DEFAULTS, **(about or {})}
    for key in fields:
        if key not in ABOUT_KEYS:
            raise unknown("key of about", key, ABOUT_KEYS)
    workload = re.sub(r"[^\w.=-]+", "-", name).strip("-.") or "own"
    axes = [fields[key] for key in ("phase", "framework", "mode")]
    id_parts = ["own", *axes, device, fields["precision"], f"b{fields['batch_size']}"]
    try:
        made = Case(
            id=f"{workload}:{'/'.join(map(str, id_parts))}",
            workload=workload,
            size="own",
            device=device,
            threads=threads,
            allocator="default",
            status="skipped",
            reason_code="not_attempted",
            reason="not attempted",
            **fields,
        )
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        raise UsageError(f"{key} of about is {fields.get(key)!r}: {first['msg']}.") from None
    for key, problem in traffic_problems(made):
        raise UsageError(f"{key} of about is {problem}.")
    return made


def trial(
    number: int,
    window_s: tuple[float, float],
    items: int = 1,
    block_s: Sequence[float] = (),
    steps_per_block: int = 1,
) -> Trial:
    """Return one window as a trial of `items` items.

    Args:
        number: Number of the trial, from 1.
        window_s: Begin and end, seconds since the start of the run.
        items: Items done in the window.
        block_s: Durations of its blocks where steps were marked, seconds; each item is a step then.
        steps_per_block: Steps in each of these.
    """
    return Trial(
        round=number,
        status="ok",
        started_s=window_s[0],
        ended_s=window_s[1],
        window_s=window_s,
        steps_per_block=steps_per_block,
        block_s=tuple(block_s) or (window_s[1] - window_s[0],),
        steps=items if block_s else 1,
        items=items,
    )


def planned(
    started_at: datetime,
    origin_s: float,
    command: Sequence[str],
    machine: Machine,
    settings: Settings,
    emissions: Emissions,
    notices: Sequence[Notice],
    case: Case,
    rounds: int,
    node: Node | None = None,
) -> RunFile:
    """Return the run file of a run in which nothing has happened yet; `origin_s` is CLOCK_MONOTONIC at `started_at`."""
    return RunFile(
        run=Run(
            id=new_run_id(started_at),
            started_at=started_at.isoformat(timespec="milliseconds"),
            finished_at=None,
            segments=(Segment(at_s=0.0, monotonic_s=origin_s, boot_id=boot_id()),),
            command=redacted_document({"command": command})["command"],
            profile="own",
            suite_version=__version__,
            complete=False,
            order_seed=0,
            rounds=rounds,
        ),
        machine=machine,
        node=node,
        settings=settings,
        cases=(case,),
        notices=tuple(notices),
        emissions=emissions,
    )


def parameters(machine: Machine, device: str, emissions: Emissions, sensors: Sequence[str]) -> dict[str, Any]:
    """Return what an experiment tracker says of where a program was measured, by the run file's names."""
    return {
        "zone": emissions.intensity.zone,
        "pue": emissions.pue.value,
        "machine": machine.fingerprint,
        "cpu": machine.cpu.model,
        "gpus": ", ".join(gpu.name for gpu in machine.gpus) or None,
        "device": device,
        "sensors": ", ".join(sensors),
        "version": __version__,
    }
