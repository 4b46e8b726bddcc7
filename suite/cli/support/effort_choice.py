"""What `joulemark calibrate` recommends for profile `ci`, and keeps for this machine."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from joulemark.suite.cli.support.prepare import describe_machine
from joulemark.suite.plan import kept_effort
from joulemark.suite.plan.profiles import PROFILES, WARMUP_S
from joulemark.suite.records import CalibratedEffort, RunFile
from joulemark.suite.sensors.calibrations import this_machine
from joulemark.suite.sensors.gpus.inventory import discover
from joulemark.suite.stats.windows.choice import Choice, choose
from joulemark.suite.stats.windows.cuts import CutCase, measured_rounds
from joulemark.suite.system.directories import find_cache, no_home_reason
from joulemark.suite.units import duration

PROFILE: Final = PROFILES["ci"]
SHOWN: Final = 5
"""Ways to spend the time that are printed."""


def effort_document(runs: Sequence[RunFile], time_s: float) -> dict[str, Any]:
    """Return which warm-up, window and rounds detect the smallest change in `time_s`, by the trials of `runs`.

    What is chosen is kept if it is for this machine, for later runs with profile `ci`.
    """
    alike = [run for run in runs if run.machine.fingerprint == runs[-1].machine.fingerprint]
    measured = measured_rounds(alike)
    if measured is None:
        return {"time_s": time_s, "reason": "no case on a CPU has two trials with block times"}
    threads = {case.threads for case in measured.cases}
    if len(threads) > 1:
        return {"time_s": time_s, "reason": "the runs have different numbers of threads"}
    warmups_s = {_warmup_s(run) for run in alike}
    choices = choose(measured, time_s, PROFILE.analyses, max(warmups_s))
    if not choices:
        return {
            "time_s": time_s,
            "reason": f"12 trials that follow another one, steady windows and time for "
            f"{2 * PROFILE.analyses} rounds of both sides are needed",
        }
    document = {"time_s": time_s, "chosen": _document(choices[0]), "others": [_document(each) for each in choices[1:]]}
    return document | _kept(alike, measured.cases, threads.pop(), choices[0], time_s)


def _warmup_s(run: RunFile) -> float:
    """Return the shortest warm-up of the trials of a run on a CPU, seconds."""
    given = run.settings.warmup_s
    value = given.get("cpu") if isinstance(given, dict) else given
    return WARMUP_S if value is None else value


def _document(choice: Choice) -> dict[str, Any]:
    return {
        "warmup_s": round(choice.warmup_s, 6),
        "window_s": choice.window_s,
        "rounds": choice.rounds,
        "max_rounds": choice.rounds * PROFILE.analyses,
        "round_s": choice.round_s,
        "trial_variation": choice.trial_variance.value**0.5,
        "detects": choice.detects,
    }


def _kept(
    runs: Sequence[RunFile], cases: Sequence[CutCase], threads: int, choice: Choice, time_s: float
) -> dict[str, Any]:
    """Keep `choice` for this machine; return where, or why not."""
    here = describe_machine(discover(), {})
    newest = runs[-1]
    if (newest.machine.hostname, newest.machine.fingerprint) != (socket.gethostname(), here.fingerprint):
        return {"path": None, "not_kept": f"the runs are of another machine ({newest.machine.hostname})"}
    path = find_cache(kept_effort.FILE_NAME)
    if path is None:
        return {"path": None, "not_kept": no_home_reason()}
    effort = CalibratedEffort(
        machine=this_machine(),
        fingerprint=here.fingerprint,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=tuple(run.run.id for run in runs),
        cases=tuple(case.id for case in cases),
        threads=threads,
        warmup_s=round(choice.warmup_s, 6),
        window_s=choice.window_s,
        rounds=choice.rounds,
        time_s=time_s,
        detects=choice.detects,
    )
    try:
        kept_effort.save(path, effort)
    except OSError as error:
        return {"path": None, "not_kept": f"cannot write {path}: {error.strerror}"}
    return {"path": str(path), "not_kept": None}


def effort_lines(document: Mapping[str, Any]) -> list[str]:
    """Return the document of `effort_document` in words."""
    time = duration(document["time_s"])
    if "reason" in document:
        return [f"No window and rounds are chosen for {time}: {document['reason']}."]
    lines = [f"In {time}, both sides and all analyses included, these see the smallest slow-down of a case on a CPU:"]
    lines += [f"  {_line(choice)}" for choice in (document["chosen"], *document["others"][: SHOWN - 1])]
    if document["path"] is None:
        return [*lines, f"The first one is not kept: {document['not_kept']}."]
    return [*lines, f"The first one is kept in {document['path']}: profile ci uses it here for these cases."]


def _line(choice: Mapping[str, Any]) -> str:
    return (
        f"--window {choice['window_s']:g} --warmup {choice['warmup_s']:g} --rounds {choice['rounds']} "
        f"(at most {choice['max_rounds']}): a trial varies by {choice['trial_variation']:.1%}, "
        f"{choice['detects']:.1%} is found in 4 of 5"
    )
