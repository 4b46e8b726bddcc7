"""Somebody's own code as a run: the case, its trials and the plan, in the schema that every run file has."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from joulemark import __version__
from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Case, Emissions, Machine, Notice, Run, RunFile, Segment, Settings, Trial

AS_IS = "as-is"
"""What we neither choose nor know: the code's own mode and precision."""

ABOUT: Mapping[str, Any] = {
    "framework": "own",
    "mode": AS_IS,
    "phase": "run",
    "precision": AS_IS,
    "batch_size": 1,
    "item": "run",
    "workload_version": "own",
}
"""What a case says of code that did not say it."""
KEYS = (*ABOUT, "flops_per_item", "bytes_per_item")
"""What may be said of one's own code."""


def new_id(started_at: datetime) -> str:
    """An id for a run, as every run has it: its UTC time, and four hex digits."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def version(program: Sequence[str]) -> str:
    """The version of the work that a command does: the same words do the same work, as far as we can know."""
    return hashlib.sha256("\0".join(program).encode(errors="surrogateescape")).hexdigest()[:12]


def case(name: str, device: str, threads: int, about: Mapping[str, Any] | None = None) -> Case:
    """The case that windows called `name` are trials of. `about` may say more: KEYS. UsageError where it cannot."""
    fields = {**ABOUT, **(about or {})}
    for key in fields:
        if key not in KEYS:
            raise unknown("key of about", key, KEYS)
    workload = re.sub(r"[^\w.=-]+", "-", name).strip("-.") or "own"
    keys = ("phase", "framework", "mode")
    parts = ["own", *(fields[key] for key in keys), device, fields["precision"], f"b{fields['batch_size']}"]
    try:
        return Case(
            id=f"{workload}:{'/'.join(map(str, parts))}",
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
        wrong = str(first["loc"][0])
        raise UsageError(f"{wrong} of about is {fields.get(wrong)!r}: {first['msg']}.") from None


def trial(
    number: int,
    window_s: tuple[float, float],
    items: int = 1,
    block_s: Sequence[float] = (),
    steps_per_block: int = 1,
) -> Trial:
    """One window as a trial of `items` items; where its steps were marked, their durations and each an item."""
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
    run_id: str,
    started_at: datetime,
    origin_s: float,
    command: Sequence[str],
    machine: Machine,
    settings: Settings,
    found: tuple[Emissions, Sequence[Notice]],
    cases: Sequence[Case],
    rounds: int,
) -> RunFile:
    """The run before anything has happened in it; `found` is what `suite.carbon.resolve` came to."""
    return RunFile(
        run=Run(
            id=run_id,
            started_at=started_at.isoformat(timespec="milliseconds"),
            finished_at=None,
            segments=(Segment(at_s=0.0, monotonic_s=origin_s),),
            command=tuple(command),
            profile="own",
            suite_version=__version__,
            complete=False,
            order_seed=0,
            rounds=rounds,
        ),
        machine=machine,
        settings=settings,
        cases=tuple(cases),
        notices=tuple(found[1]),
        emissions=found[0],
    )
