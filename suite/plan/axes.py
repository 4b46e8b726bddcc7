"""What a selection gives on each axis: what was named, or the profile's. UsageError for a name that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.plan.profiles import Profile
from joulemark.suite.records import FrameworkInfo, Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS, Framework, framework
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Phase, Workload


def frameworks(settings: Settings, installed: Mapping[str, FrameworkInfo]) -> list[Framework]:
    """Those named, or all; names of modes are checked here too. UsageError for what is named and not installed."""
    chosen = [framework(name) for name in settings.framework or FRAMEWORKS]
    known_modes = {mode for each in FRAMEWORKS.values() for mode in each.modes}
    for mode in settings.mode:
        if mode not in known_modes:
            raise unknown("mode", mode, known_modes)
    missing = [each for each in chosen if each.name not in installed]
    if missing and (settings.framework or len(missing) == len(chosen)):
        extras = ",".join(each.extra for each in missing)
        names = " and ".join(each.title for each in missing)
        raise UsageError(f"{names} not installed. Install: pip install 'joulemark[{extras}]'.")
    return chosen


def chosen_workloads(settings: Settings, profile: Profile) -> list[Workload]:
    """Those named, each with all its variants, or the profile's."""
    known = workloads()
    if not settings.workload:
        return [known[name] for name in profile.workloads or known]
    found: dict[str, Workload] = {}
    for name in settings.workload:
        matching = {key: each for key, each in known.items() if name in (key, each.name)}
        if not matching:
            raise unknown("workload", name, known)
        found |= matching
    return list(found.values())


def sizes(settings: Settings, workload: Workload, profile: Profile) -> Sequence[str]:
    """Those of the named sizes that the workload has, or the profile's."""
    known = {size for each in workloads().values() for size in each.sizes}
    wanted = settings.size or (profile.size,)
    for size in wanted:
        if size not in known:
            raise unknown("size", size, known)
    return [size for size in wanted if size in workload.sizes]


def phases(settings: Settings, workload: Workload) -> Sequence[Phase]:
    """Those of the named phases that the workload has, or all of its."""
    known = get_args(Phase)
    for phase in settings.phase:
        if phase not in known:
            raise unknown("phase", phase, known)
    return [phase for phase in workload.phases if not settings.phase or phase in settings.phase]


def modes(settings: Settings, profile: Profile, chosen: Framework) -> Sequence[str]:
    """Those of the named modes that the framework has; else its default, and compilers where the profile has them."""
    if settings.mode:
        return [mode for mode in settings.mode if mode in chosen.modes]
    compiled = [mode for mode, kind in chosen.modes.items() if kind == "compiled"]
    return [chosen.default_mode, *(compiled if profile.optimised else [])]


def devices(settings: Settings, info: FrameworkInfo | None) -> Sequence[str]:
    """The CPU, and the first board where there is one."""
    there = info.devices if info is not None else ("cpu",)
    if not settings.device:
        return [device for device in there if device in ("cpu", "cuda:0")]
    for device in settings.device:
        if info is not None and device not in there:
            raise unknown("device", device, there)
    return settings.device


def precisions(settings: Settings, chosen: Framework) -> Sequence[str]:
    """Those named, or single precision."""
    for precision in settings.precision:
        if precision not in chosen.precisions:
            raise unknown("precision", precision, chosen.precisions)
    return settings.precision or ("fp32",)
