"""What `joulemark calibrate` recommends for profile `ci`, and keeps for this machine."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from joulemark.suite.cli.support.prepare import describe_machine
from joulemark.suite.plan import kept_effort
from joulemark.suite.plan.plan import TURN_S
from joulemark.suite.plan.profiles import PROFILES, WARMUP_S
from joulemark.suite.records import CalibratedEffort, Machine, RunFile
from joulemark.suite.sensors.calibrations import this_machine
from joulemark.suite.sensors.gpus.inventory import discover
from joulemark.suite.stats.windows.choice import WINDOWS_S, Choice, choose, rounds_in_turns
from joulemark.suite.stats.windows.cuts import measured_rounds
from joulemark.suite.system.directories import find_cache, no_home_reason
from joulemark.suite.trial.timing import BLOCK_S
from joulemark.suite.units import duration

PROFILE: Final = PROFILES["ci"]
TURNS_S: Final = PROFILE.turns * (TURN_S + BLOCK_S)
"""What the turns of a pair take for each of its trials, seconds: before each turn, a block does not count."""
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
    best = choices[0]
    paired = rounds_in_turns(
        measured, time_s, PROFILE.analyses, best.warmup_s - max(warmups_s), PROFILE.window_s["cpu"], TURNS_S
    )
    effort = CalibratedEffort(
        machine=this_machine(),
        fingerprint=alike[-1].machine.fingerprint,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=tuple(run.run.id for run in alike),
        cases=tuple(case.id for case in measured.cases),
        threads=threads.pop(),
        warmup_s=round(best.warmup_s, 6),
        window_s=best.window_s,
        rounds=best.rounds,
        paired_rounds=paired,
        time_s=time_s,
        detects=best.detects,
    )
    document = {"time_s": time_s, "chosen": _document(best), "others": [_document(each) for each in choices[1:]]}
    return document | {"paired_rounds": paired} | _keep(effort, alike[-1].machine)


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


def _keep(effort: CalibratedEffort, machine: Machine) -> dict[str, Any]:
    """Keep `effort`, which was found on `machine`; return where, or why not."""
    here = describe_machine(discover(), {})
    if (machine.hostname, machine.fingerprint) != (socket.gethostname(), here.fingerprint):
        return {"path": None, "not_kept": f"the runs are of another machine ({machine.hostname})"}
    path = find_cache(kept_effort.FILE_NAME)
    if path is None:
        return {"path": None, "not_kept": no_home_reason()}
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
    choices = [document["chosen"], *document["others"]]
    lines += [f"  {_line(choice)}" for choice in choices[:SHOWN]]
    longer = next((w for w in WINDOWS_S if w > choices[0]["window_s"]), None)
    if longer is not None and choices[0]["window_s"] == max(choice["window_s"] for choice in choices):
        lines.append(f"A longer one may be better still: `joulemark calibrate --window {longer:g}` would show it.")
    if (rounds := document["paired_rounds"]) is not None:
        most = rounds * PROFILE.analyses
        lines.append(f"Where pairs take turns (ab, check --baseline-python): --rounds {rounds} (at most {most}).")
    if document["path"] is None:
        return [*lines, f"This is not kept: {document['not_kept']}."]
    return [*lines, f"Kept in {document['path']}: profile ci uses the first one here for these cases."]


def _line(choice: Mapping[str, Any]) -> str:
    return (
        f"--window {choice['window_s']:g} --warmup {choice['warmup_s']:g} --rounds {choice['rounds']} "
        f"(at most {choice['max_rounds']}): a trial varies by {choice['trial_variation']:.1%}, "
        f"{choice['detects']:.1%} is found in 4 of 5"
    )
