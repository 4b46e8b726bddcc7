"""Experiment trackers: MLflow, Weights & Biases and TensorBoard, each one file and one line here.

No tracker is imported before it is used, and none that was not asked for is contacted.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.errors import UsageError, unknown

if TYPE_CHECKING:
    from joulemark.suite.trackers.base import Tracker


@dataclass(frozen=True)
class TrackerInfo:
    """A tracker that can be named."""

    package: str
    """The module that must be there."""
    extra: str
    """The extra of joulemark that installs it."""
    takes_place: bool = False
    """Whether `NAME:PLACE` says where it writes."""


TRACKERS: Final[Mapping[str, TrackerInfo]] = MappingProxyType(
    {
        "mlflow": TrackerInfo("mlflow", "mlflow"),
        "wandb": TrackerInfo("wandb", "wandb"),
        "tensorboard": TrackerInfo("tensorboard", "tensorboard", takes_place=True),
    }
)
"""By the name that users give. `joulemark.suite.trackers.NAME` has `prepare`, `new`, `active` and `of_object`."""

ACTIVE: Final = "active"
"""Names no tracker: the runs that the program itself has begun."""

FORMS: Final = "mlflow, wandb, tensorboard or tensorboard:DIR"


def check(track: object) -> tuple[Any, ...]:
    """Return what `track` names, one or several, as several. Imports no tracker.

    Raises:
        UsageError: for a name that is not known, a tracker that is not installed, or an object of another kind.
    """
    if track is None:
        return ()
    several = track if isinstance(track, list | tuple | set) else (track,)
    for each in several:
        if not isinstance(each, str):
            of_object(each)
        elif each != ACTIVE:
            _check_name(each)
    return tuple(dict.fromkeys(several)) if all(isinstance(each, str) for each in several) else tuple(several)


def _check_name(text: str) -> None:
    name, colon, place = text.partition(":")
    if name not in TRACKERS:
        raise unknown("tracker", text, (*TRACKERS, ACTIVE))
    info = TRACKERS[name]
    if colon and not (info.takes_place and place):
        raise UsageError(f"track is {FORMS}, found {text!r:.80}.")
    if find_spec(info.package) is None:
        raise UsageError(
            f"the tracker {name} needs the package {info.package}, which is not installed: "
            f"pip install 'joulemark[{info.extra}]'."
        )


def new(text: str, name: str, stamp: str) -> Tracker:
    """Return the tracker `text` with a run of its own, which `name` and `stamp` tell from others."""
    tracker, _, place = text.partition(":")
    made: Tracker = _module(tracker).new(name, stamp, place)
    return made


def load(names: Iterable[object]) -> None:
    """Import the packages of the trackers that are named, which takes seconds. Does nothing the second time."""
    for name in names:
        if isinstance(name, str) and name != ACTIVE:
            _module(name.partition(":")[0]).prepare()


def active(names: Iterable[str] = TRACKERS) -> list[Tracker]:
    """Return the runs of trackers `names` that the program has begun here and not ended. Imports no tracker."""
    found = (_module(name.partition(":")[0]).active() for name in names)
    return [tracker for tracker in found if tracker is not None]


def of_object(thing: object) -> Tracker:
    """Return the run of a tracker that `thing` is, such as a SummaryWriter. UsageError where it is none."""
    for name in TRACKERS:
        of: Callable[[object], Tracker | None] = _module(name).of_object
        if (tracker := of(thing)) is not None:
            return tracker
    raise UsageError(
        f"track is {FORMS}, active, a list of these, or a run or SummaryWriter of your own, found {thing!r:.80}."
    )


def _module(name: str) -> Any:
    return importlib.import_module(f"joulemark.suite.trackers.{name}")
