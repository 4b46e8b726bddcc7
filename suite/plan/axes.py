"""The values on each axis of a selection: those named, or the profile's. Unknown names raise UsageError."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.plan.profiles import DEVICE_KINDS, Profile
from joulemark.suite.records import DeviceKind, FrameworkInfo, Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS, Framework, framework, mode_refusal
from joulemark.suite.trial.frameworks.problem import find_problem
from joulemark.workloads.registry import workloads
from joulemark.workloads.spec import Phase, Workload


def frameworks(settings: Settings, installed: Mapping[str, FrameworkInfo]) -> list[Framework]:
    """Return the named frameworks, or all.

    Raises UsageError if one that is named, or that has an interpreter of its own, cannot be used, and if none can.
    """
    selected = [framework(name) for name in settings.framework or FRAMEWORKS]
    problems = {
        each.name: problem
        for each in FRAMEWORKS.values()
        if (problem := find_problem(each, installed.get(each.name), settings.python.get(each.name))) is not None
    }
    refused = [name for name in problems if name in settings.framework or name in settings.python]
    if not refused and all(each.name in problems for each in selected):
        refused = [each.name for each in selected]
    if refused:
        raise UsageError(" ".join(f"{problems[name].text}." for name in refused))
    return selected


def selected_workloads(settings: Settings, profile: Profile) -> list[Workload]:
    """Return the named workloads, each with all its variants, or the profile's for any kind of device."""
    known = workloads()
    if not settings.workload:
        names = [name for kind in DEVICE_KINDS for name in profile.workload_ids(kind)]
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
    if not settings.workload and workload.id not in profile.workload_ids(kind):
        return ()
    if settings.size:
        return [size for size in settings.size if size in workload.sizes]
    return [profile.size[kind] if profile.size[kind] in workload.sizes else workload.reference_size]


def phases(settings: Settings, profile: Profile, workload: Workload, kind: DeviceKind) -> Sequence[Phase]:
    """Return those of the named phases that the workload has, or of the profile's; all, if workloads are named."""
    known = get_args(Phase)
    for phase in settings.phase:
        if phase not in known:
            raise unknown("phase", phase, known)
    wanted = settings.phase or (known if settings.workload else profile.phases_of(workload.id, kind) or known)
    return [phase for phase in workload.phases if phase in wanted]


def modes(
    settings: Settings, profile: Profile, framework: Framework, kind: DeviceKind, workload: Workload | None = None
) -> Sequence[str]:
    """Return those of the named modes that the framework has.

    Without names, its default one and, by profile, the compiled ones that run on this kind of device. Where the default
    one compiles, a workload with nothing to compile takes the first that does not.
    """
    known = {mode for each in FRAMEWORKS.values() for mode in each.modes}
    for mode in settings.mode:
        if mode not in known:
            raise unknown("mode", mode, known)
    if settings.mode:
        return [mode for mode in settings.mode if mode in framework.modes]
    compiled = [name for name, mode_class in framework.modes.items() if mode_class == "compiled"]
    default = framework.default_mode
    if workload and not workload.compiles and default in compiled:
        default = next(mode for mode in framework.modes if mode not in compiled)
    selected = [default, *(compiled if profile.optimised else [])]
    return [mode for mode in selected if mode_refusal(framework, mode, kind) is None]


def devices(settings: Settings, info: FrameworkInfo | None) -> Sequence[str]:
    """Return the named devices, or the CPU and, if the framework sees one, the first GPU."""
    if settings.device:
        return settings.device
    return ("cpu", "cuda:0") if info is not None and "cuda:0" in info.devices else ("cpu",)


def check_devices(settings: Settings, infos: Iterable[FrameworkInfo]) -> None:
    """Raise UsageError for a named device that none of the frameworks sees, with what they say of it."""
    infos = list(infos)
    available = {device for info in infos for device in info.devices}
    for device in settings.device:
        if device not in available:
            reasons = "".join(f" No GPU is seen: {info.blind}." for info in infos if info.blind and device != "cpu")
            raise UsageError(f"{unknown('device', device, available)}{reasons}")


def precisions(
    settings: Settings, profile: Profile, framework: Framework, kind: DeviceKind, workload: Workload | None = None
) -> Sequence[str]:
    """Return the named precisions, or the profile's for this kind of device and for this workload."""
    also = ("bf16",) if kind == "cpu" and workload and workload.id in profile.bf16_on_cpu else ()
    wanted = settings.precision or (*profile.precisions[kind], *also)
    for precision in wanted:
        if precision not in framework.precisions:
            raise unknown("precision", precision, framework.precisions)
    return wanted
