"""`--device all`: each case on every GPU by itself, and on all of them at once, in the same rounds.

At once, each GPU has a process of its own, which computes for itself: a case of as many ranks without a strategy. A
process has as many threads in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.profiles import Profile
from joulemark.suite.records import Case, FrameworkInfo, Settings

ALL: Final = "all"


def gpus_of(info: FrameworkInfo | None) -> tuple[str, ...]:
    """Return the GPUs that a framework sees."""
    return tuple(device for device in info.devices if device != "cpu") if info is not None else ()


def named(settings: Settings, infos: Collection[FrameworkInfo]) -> Settings:
    """Return the settings with the GPUs in place of `--device all`.

    Raises UsageError for fewer than two, and for what cannot be combined with it.
    """
    if ALL not in settings.device:
        return settings
    if len(settings.device) > 1:
        others = " and ".join(f"--device {device}" for device in settings.device if device != ALL)
        raise UsageError(f"--device all is every GPU of the machine: leave {others or 'the second one'} out.")
    for value, option in ((settings.ranks, "--ranks"), (settings.arms, "two arms"), (settings.over, "--over")):
        if value:
            raise UsageError(f"--device all compares the GPUs of a machine, which {option} does not: leave one out.")
    gpus = max((gpus_of(info) for info in infos), key=len, default=())
    if not gpus:
        reasons = "".join(dict.fromkeys(f" No GPU is seen: {info.blind}." for info in infos if info.blind))
        raise UsageError(f"--device all compares GPUs, and no framework sees one.{reasons} Give --device cpu.")
    if len(gpus) == 1:
        raise UsageError(
            f"--device all compares the GPUs of a machine, and there is one, {gpus[0]}: there is nothing to compare. "
            f"Give --device {gpus[0]}."
        )
    return settings.model_copy(update={"device": gpus})


def threads(settings: Settings, profile: Profile, gpus: int, cores: int) -> int:
    """Return the threads of a process: the cores divided by the GPUs, unless the user or the profile gives them."""
    if settings.threads is not None or profile.threads is not None:
        return cores
    return max(1, cores // max(1, gpus))


def at_once(cases: Sequence[Case], installed: Mapping[str, FrameworkInfo]) -> list[Case]:
    """Return the cases on all GPUs at once of those on the first one: all phases but responses, which are no steps."""
    found = []
    for case in cases:
        gpus = gpus_of(installed.get(case.framework))
        if len(gpus) > 1 and case.device == gpus[0] and case.response is None:
            task, *others = case.id.split("+")
            settings = sorted([*others, "communication=none", f"ranks={len(gpus)}"])
            changes = {"id": "+".join([task, *settings]), "ranks": len(gpus), "scaling": "weak"}
            found.append(case.model_copy(update=changes))
    return found
