"""Profiles: a selection and an effort, as data. A user's own are written into the settings file:

[profiles.night]
base = "standard"
rounds = 20
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Settings
from joulemark.workloads.registry import workloads


@dataclass(frozen=True)
class Profile:
    """A selection and an effort."""

    name: str
    title: str
    workloads: tuple[str, ...]
    """Empty: all."""
    optimised: bool
    """Whether the compiled modes are measured beside the default ones."""
    rounds: int
    window_s: Mapping[str, float]
    """By kind of device."""
    idle_s: float
    timeout_s: float
    """Of one trial."""
    size: str = "small"
    out_of_the_box: bool = False
    """Whether one case a framework is also measured under the default allocator, as users' programs run."""


_ONE_OF_EACH_FAMILY = (
    "matmul",
    "attention",
    "resnet50",
    "transfer.features",
    "input_pipeline",
    "transformer",
    "ddpm",
    "simclr",
    "tsne",
)
"""With all of `quick`, so that its cases can be looked up in longer runs."""

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="quick",
            title="a first answer in 3 minutes",
            workloads=("matmul", "resnet50", "transformer", "ddpm"),
            optimised=False,
            rounds=3,
            window_s={"cpu": 1.5, "cuda": 5.0},
            idle_s=5.0,
            timeout_s=60.0,
        ),
        Profile(
            name="standard",
            title="one workload of each family, default and compiled modes",
            workloads=_ONE_OF_EACH_FAMILY,
            optimised=True,
            rounds=5,
            window_s={"cpu": 5.0, "cuda": 10.0},
            idle_s=10.0,
            timeout_s=300.0,
            out_of_the_box=True,
        ),
        Profile(
            name="full",
            title="every workload, default and compiled modes",
            workloads=(),
            optimised=True,
            rounds=10,
            window_s={"cpu": 5.0, "cuda": 10.0},
            idle_s=10.0,
            timeout_s=600.0,
            out_of_the_box=True,
        ),
        Profile(
            name="ci",
            title="a few small cases with the rounds that a gate needs",
            workloads=("matmul", "cnn"),
            optimised=False,
            rounds=10,
            window_s={"cpu": 2.0, "cuda": 5.0},
            idle_s=5.0,
            timeout_s=60.0,
        ),
    )
}


def find_profile(settings: Settings) -> Profile:
    """The profile that was asked for: one of ours, or the user's own on top of one of ours.

    UsageError for one that is not known, and for any of the user's that is not based on one of ours.
    """
    for name, each in settings.profiles.items():
        if each.base not in PROFILES:
            raise unknown(f"base of profiles.{name}, which is to be one of joulemark's profiles,", each.base, PROFILES)
        if name in PROFILES and name != each.base:
            raise UsageError(f"profiles.{name} is based on {each.base!r}: {name!r} is taken, give it another name.")
    own = settings.profiles.get(settings.profile)
    if own is None:
        if settings.profile not in PROFILES:
            raise unknown("profile", settings.profile, {*PROFILES, *settings.profiles})
        return PROFILES[settings.profile]
    base = PROFILES[own.base]
    changes = own.model_dump(exclude={"base", "window_s"}, exclude_none=True)
    if own.window_s is not None:
        changes["window_s"] = dict.fromkeys(base.window_s, own.window_s)
    for workload in own.workloads or ():
        if workload not in workloads():
            raise unknown(f"workload in profile {settings.profile}", workload, workloads())
    return replace(base, **{**changes, "name": settings.profile})
