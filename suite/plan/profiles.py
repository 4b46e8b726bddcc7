"""Profiles: a selection and an effort. The built-in ones are in `profiles.toml`; users define their own in the settings
file:

[profiles.night]
base = "standard"
size = { cpu = "small", cuda = "base" }
rounds = 20
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any, get_args

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import DeviceKind, ProfileSettings, Settings
from joulemark.workloads.registry import workloads

DEVICE_KINDS: tuple[DeviceKind, ...] = get_args(DeviceKind)

WARMUP_S = 0.3
"""Shortest warm-up of a trial, seconds."""


@dataclass(frozen=True)
class Profile:
    """A selection and an effort. A mapping holds a value for each kind of device, `cpu` and `cuda`."""

    name: str
    title: str
    workloads: Mapping[DeviceKind, Sequence[str]]
    """Empty: all workloads. `llama/generation` is that phase of the workload alone."""
    optimised: bool
    """Whether compiled modes are measured too, beside the default ones."""
    rounds: int
    window_s: Mapping[DeviceKind, float]
    """Length of a trial's window, seconds."""
    idle_s: float
    timeout_s: float
    """Time limit of one trial, seconds."""
    warmup_s: Mapping[DeviceKind, float] = field(default_factory=lambda: dict.fromkeys(DEVICE_KINDS, WARMUP_S))
    """Shortest warm-up of a trial, seconds."""
    calibrated: bool = False
    """Whether window, warm-up and rounds are those that `joulemark calibrate` chose for the machine, if it has."""
    # Small cases do not fill a GPU: they would measure how fast the CPU starts kernels.
    size: Mapping[DeviceKind, str] = field(default_factory=lambda: {"cpu": "small", "cuda": "base"})
    precisions: Mapping[DeviceKind, Sequence[str]] = field(
        default_factory=lambda: {"cpu": ("fp32",), "cuda": ("fp32", "bf16")}
    )
    phases: Sequence[str] = ()
    """Phases that are measured unless workloads are named; empty: all."""
    bf16_on_cpu: Sequence[str] = ()
    """Workloads that are measured in bf16 too on a CPU whose cores multiply it."""
    server_rounds: int = 1
    """Rounds whose trials the same fork servers start: new ones cost their imports."""
    threads: int | None = None
    """Threads of each framework unless the settings say otherwise; None: one a core."""
    analyses: int = 1
    """How often at most the cases of an A/B run are judged, each time after `rounds` more, while they are in doubt."""
    turns: int = 0
    """Turns that the two trials of a pair take after their windows, while both stay resident; 0: none."""
    reference_s: float = 0.0
    """How long each loop of the noise floor is repeated, seconds, so that it can be a reference between runs: 0 for one
    loop after each round."""
    limit_s: float | None = None
    """The run has fewer rounds if all of them are expected to take longer than this, seconds; None: no limit."""
    out_of_the_box: bool = False
    """Whether one case of each framework is also measured with the default allocator, as users' programs run."""

    def workload_ids(self, kind: DeviceKind) -> list[str]:
        """Return the ids of the workloads for a kind of device."""
        return [entry.partition("/")[0] for entry in self.workloads[kind]] or list(workloads())

    def phases_of(self, workload: str, kind: DeviceKind) -> Sequence[str]:
        """Return the phases of a workload for a kind of device; empty: all that it has."""
        entries = [entry.partition("/") for entry in self.workloads[kind]]
        own = [phase for id_, _, phase in entries if id_ == workload]
        return self.phases if not own or "" in own else own


_BY_DEVICE = ("workloads", "size", "precisions", "window_s", "warmup_s")


def _by_device(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a profile, with one for each kind of device where one for all is given."""
    axes = {name: values[name] for name in _BY_DEVICE if name in values}
    by_device = {
        name: value if isinstance(value, dict) else dict.fromkeys(DEVICE_KINDS, value) for name, value in axes.items()
    }
    return {**values, **by_device}


_TABLES = tomllib.loads(files("joulemark.suite.plan").joinpath("profiles.toml").read_text(encoding="utf-8"))
PROFILES: Mapping[str, Profile] = {name: Profile(name, **_by_device(table)) for name, table in _TABLES.items()}


def find_profile(settings: Settings) -> Profile:
    """Return the selected profile, with the window and the warm-up of `settings`: a built-in one, or the user's own,
    which is based on a built-in one.

    Raises UsageError for an unknown profile, and for a profile of the user without a built-in base.
    """
    for name, profile in settings.profiles.items():
        if profile.base not in PROFILES:
            raise unknown(f"base of profiles.{name}, which must be a built-in profile,", profile.base, PROFILES)
        if name in PROFILES and name != profile.base:
            raise UsageError(
                f"profiles.{name} is based on {profile.base!r}, but {name!r} is a built-in name: choose another."
            )
    selected = _selected(settings)
    given = {name: value for name in ("window_s", "warmup_s") if (value := getattr(settings, name)) is not None}
    changed = _changed(selected, given)
    longer_s = max(_measuring_s(changed, kind) - _measuring_s(selected, kind) for kind in DEVICE_KINDS)
    return replace(changed, timeout_s=selected.timeout_s + max(0.0, longer_s))


def _selected(settings: Settings) -> Profile:
    user_profile = settings.profiles.get(settings.profile)
    if user_profile is not None:
        return _with_changes(settings.profile, PROFILES[user_profile.base], user_profile)
    if settings.profile not in PROFILES:
        raise unknown("profile", settings.profile, {*PROFILES, *settings.profiles})
    return PROFILES[settings.profile]


def _measuring_s(profile: Profile, kind: DeviceKind) -> float:
    return profile.window_s[kind] + profile.warmup_s[kind]


def _with_changes(name: str, base: Profile, user_profile: ProfileSettings) -> Profile:
    """Return the user's profile `name`: `base` with what differs from it. It has no limit of its duration."""
    given = user_profile.model_dump(exclude={"base"}, exclude_none=True)
    changes: dict[str, Any] = {"name": name, "limit_s": None}
    if not given.keys().isdisjoint({"rounds", "window_s"}):
        changes["calibrated"] = False
    if "precisions" in given:
        changes["bf16_on_cpu"] = ()
    profile = replace(_changed(base, given), **changes)
    for entry in {each for entries in profile.workloads.values() for each in entries} if "workloads" in given else ():
        _check_entry(entry, name)
    return profile


def _check_entry(entry: str, profile: str) -> None:
    """Raise UsageError for an entry of `workloads` that names no workload, or a phase that it has not."""
    workload, slash, phase = entry.partition("/")
    if workload not in workloads():
        raise unknown(f"workload in profile {profile}", workload, workloads())
    if slash and phase not in workloads()[workload].phases:
        raise unknown(f"phase of {workload} in profile {profile}", phase, workloads()[workload].phases)


def _changed(base: Profile, values: Mapping[str, Any]) -> Profile:
    """Return `base` with other values, each for all kinds of device or for those that are named."""
    changes: dict[str, Any] = {
        name: {**getattr(base, name), **value} if isinstance(value, dict) else value
        for name, value in _by_device(values).items()
    }
    return replace(base, **changes)
