"""Match the cases of a run with those of a reference machine: the same work, whatever it ran on. Pure.

A case is compared where workload, phase, size, framework, mode and precision are the same and the work of an item is:
by the version of the workload's code, by that of its spec, or else by item, operations and parameters, since kept runs
outlive versions. Device, batch size, threads and allocator belong to the machine: where they differ, a note says so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from joulemark.suite.records import Case, RunFile, Trial
from joulemark.suite.stats.pairs import Pair, Pairs, framework_version

_TASK: Final = ("workload", "variant", "size", "phase", "framework", "mode", "precision")
_MACHINE: Final = ("device", "batch_size", "threads", "allocator")
"""Fields that a machine may choose."""
_BOARD: Final = "gpu"
"""Component of a reading of a GPU's board."""


def pair_with_reference(reference: RunFile, run: RunFile) -> Pairs:
    """Return each case of `run` with the nearest of `reference`; `a` of a pair is the reference's.

    The arms of an A/B run are left out: they are compared with each other.
    """
    candidates: dict[tuple[object, ...], list[Case]] = defaultdict(list)
    for case in reference.cases:
        candidates[_task(case)].append(case)
    pairs = []
    for case in run.cases:
        partners = candidates[_task(case)]
        if partners and case.arm is None:
            pairs.append(_pair(min(partners, key=lambda partner: _distance(partner, case)), case, reference, run))
    matched = {pair.a.id for pair in pairs}, {pair.b.id for pair in pairs}
    only = [
        tuple(case.id for case in file.cases if case.id not in ids)
        for file, ids in zip((reference, run), matched, strict=True)
    ]
    reasons = dict.fromkeys(only[0], "B does not have it") | dict.fromkeys(only[1], "A does not have it")
    return Pairs(tuple(pairs), only[0], only[1], reasons)


def same_work(a: Case, b: Case) -> tuple[bool, str]:
    """Return whether an item of both is the same work, and what a reader must know of it; empty for nothing."""
    if a.workload_version == b.workload_version:
        return True, ""
    amounts = [
        ("item", a.item, b.item),
        ("operations an item", a.flops_per_item, b.flops_per_item),
        ("parameters", a.parameters.total, b.parameters.total),
    ]
    for name, ours, theirs in amounts:
        if ours != theirs:
            return False, f"another version of the workload did other work: {name} {_text(ours)} and {_text(theirs)}"
    versions = f"{a.workload_version} and {b.workload_version}"
    if a.spec_version and a.spec_version == b.spec_version:
        return True, f"implementation {versions} of one specification"
    if a.flops_per_item is None:
        return False, f"another version of the workload ({versions}), whose work cannot be counted"
    return True, f"workload version {versions}, of equal operations and parameters"


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _task(case: Case) -> tuple[object, ...]:
    return tuple(getattr(case, name) for name in _TASK)


def _distance(partner: Case, case: Case) -> tuple[bool, int, int]:
    """Return how unlike two cases of one task are: kind of device, other fields, batch size."""
    unlike = sum(getattr(partner, name) != getattr(case, name) for name in _MACHINE)
    return _kind(partner) != _kind(case), unlike, abs(partner.batch_size - case.batch_size)


def _kind(case: Case) -> str:
    return case.device.partition(":")[0]


def _pair(of_reference: Case, of_run: Case, reference: RunFile, run: RunFile) -> Pair:
    failed = next((case for case in (of_reference, of_run) if case.status != "ok"), None)
    same, note = same_work(of_reference, of_run)
    incomparable = f"{failed.status}: {failed.reason or 'no usable trial'}" if failed else None if same else note
    unlike = [name for name in _MACHINE if getattr(of_reference, name) != getattr(of_run, name)]
    versions = framework_version(of_reference, reference), framework_version(of_run, run)
    notes = [f"{n.replace('_', ' ')} {getattr(of_reference, n)} and {getattr(of_run, n)}" for n in unlike]
    notes += [f"{of_run.framework} {' and '.join(versions)}"] if versions[0] != versions[1] else []
    notes += [note] if note and same else []
    a, b, scope = _one_scope(of_reference, of_run)
    return Pair(
        a,
        b,
        same_run=False,
        same_machine=False,
        incomparable=incomparable,
        note="; ".join([*notes, *([scope] if scope else [])]) or None,
        work_incomparable=incomparable or ("another device or batch size" if unlike else None),
        versions=versions,
        same_fingerprint=False,
    )


def _one_scope(a: Case, b: Case) -> tuple[Case, Case, str]:
    """Return both cases with the energy of their boards alone where one lacks what the other has of the host."""
    if _kind(a) == "cpu" or _kind(b) == "cpu" or measured_components(a) == measured_components(b):
        return a, b, ""
    if _BOARD not in measured_components(a) & measured_components(b):
        return a, b, ""
    return _board_only(a), _board_only(b), "board joules, without the host"


def measured_components(case: Case) -> frozenset[str]:
    """Return the components that the energy of `case` has."""
    readings = (reading for trial in case.ok_trials for reading in trial.energy)
    return frozenset(each.component for each in readings if each.attributed and each.energy_j is not None)


def _board_only(case: Case) -> Case:
    """Return `case` charged with its board and nothing else."""
    return case.model_copy(update={"trials": tuple(map(_board_trial, case.trials))})


def _board_trial(trial: Trial) -> Trial:
    kept = tuple(reading for reading in trial.energy if reading.attributed and reading.component == _BOARD)
    return trial.model_copy(update={"energy": kept})
