"""The values on each axis of a selection: those named, or the profile's. Unknown names raise UsageError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.plan.profiles import DEVICE_KINDS, Profile
from joulemark.suite.records import DeviceKind, FrameworkInfo, Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS, Framework, framework
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Phase, Workload


def frameworks(settings: Settings, installed: Mapping[str, FrameworkInfo]) -> list[Framework]:
    """Return the named frameworks, or all.

    Raises UsageError for a mode that none has, for a named framework that is not installed, and if none is.
    """
    selected = [framework(name) for name in settings.framework or FRAMEWORKS]
    known_modes = {mode for each in FRAMEWORKS.values() for mode in each.modes}
    for mode in settings.mode:
        if mode not in known_modes:
            raise unknown("mode", mode, known_modes)
    missing = [each for each in selected if each.name not in installed]
    if missing and (settings.framework or len(missing) == len(selected)):
        extras = ",".join(each.extra for each in missing)
        names = " and ".join(each.title for each in missing)
        raise UsageError(f"{names} not installed. Install: pip install 'joulemark[{extras}]'.")
    return selected


def selected_workloads(settings: Settings, profile: Profile) -> list[Workload]:
    """Return the named workloads, each with all its variants, or the profile's for any kind of device."""
    known = workloads()
    if not settings.workload:
        names = [name for kind in DEVICE_KINDS for name in profile.workloads[kind] or known]
        return [known[name] for name in dict.fromkeys(names)]
    selected: dict[str, Workload] = {}
    for name in settings.workload:
        matching = {key: each for key, each in known.items() if name in (key, each.name)}
        if not matching:
            raise unknown("workload", name, known)
        selected |= matching
    return list(selected.values())


def sizes(settings: Settings, workload: Workload, profile: Profile, kind: DeviceKind) -> Sequence[str]:
    """Return those of the named sizes that the workload has, or the profile's for this kind of device.

    A workload without the profile's size takes its reference size. There is no size for a kind of device on which the
    profile measures other workloads.
    """
    known = {size for each in workloads().values() for size in each.sizes}
    for size in settings.size or (profile.size[kind],):
        if size not in known:
            raise unknown("size", size, known)
    if not settings.workload and workload.id not in (profile.workloads[kind] or workloads()):
        return ()
    if settings.size:
        return [size for size in settings.size if size in workload.sizes]
    return [profile.size[kind] if profile.size[kind] in workload.sizes else workload.reference_size]


def phases(settings: Settings, workload: Workload) -> Sequence[Phase]:
    """Return those of the named phases that the workload has, or all of its phases."""
    known = get_args(Phase)
    for phase in settings.phase:
        if phase not in known:
            raise unknown("phase", phase, known)
    return [phase for phase in workload.phases if not settings.phase or phase in settings.phase]


def modes(settings: Settings, profile: Profile, framework: Framework) -> Sequence[str]:
    """Return those of the named modes that the framework has, or its default and, by profile, compiled ones."""
    if settings.mode:
        return [mode for mode in settings.mode if mode in framework.modes]
    compiled = [mode for mode, kind in framework.modes.items() if kind == "compiled"]
    return [framework.default_mode, *(compiled if profile.optimised else [])]


def devices(settings: Settings, info: FrameworkInfo | None) -> Sequence[str]:
    """Return the named devices, or the CPU and the first GPU if there is one."""
    available = info.devices if info is not None else ("cpu",)
    if not settings.device:
        return [device for device in available if device in ("cpu", "cuda:0")]
    for device in settings.device:
        if info is not None and device not in available:
            raise unknown("device", device, available)
    return settings.device


def precisions(settings: Settings, profile: Profile, framework: Framework, kind: DeviceKind) -> Sequence[str]:
    """Return the named precisions, or the profile's for this kind of device."""
    wanted = settings.precision or profile.precisions[kind]
    for precision in wanted:
        if precision not in framework.precisions:
            raise unknown("precision", precision, framework.precisions)
    return wanted
