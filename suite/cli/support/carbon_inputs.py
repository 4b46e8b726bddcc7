"""What the verbs share that take carbon options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from joulemark.suite.carbon.service import Service
    from joulemark.suite.records import Notice, RunFile, Settings


def service(settings: Settings) -> Service:
    """Electricity Maps as the environment and `settings` make it, with its answers kept in the home."""
    from joulemark.suite.carbon.service import from_environment
    from joulemark.suite.settings import home

    return from_environment(settings.offline, settings.emission_factors, home() / "cache")


def told(notice: Notice) -> str:
    """A notice where there is no run that could be recomputed."""
    from joulemark.suite.notices import Code

    remedies = {
        Code.WORLD_INTENSITY: "Give --zone (for example --zone CH) or --intensity.",
        Code.INTENSITY_FALLBACK: "Ask again once that source answers.",
    }
    return f"! {notice.message} {remedies.get(notice.code, notice.remedy)}"


def settled(path: Path, grid: Service) -> RunFile:
    """The run file at `path`, on the grid of the hours that the run took; rewritten where that is news."""
    from datetime import UTC, datetime

    from joulemark.suite.records import read, write
    from joulemark.suite.results.recompute import settle

    run_file = read(path)
    found = settle(run_file, datetime.now(UTC), grid)
    if found is not run_file:
        write(found, path)
    return found


def under(run_file: RunFile, given: Mapping[str, Any], offline: bool) -> RunFile:
    """`run_file` recomputed with the carbon options that were `given`; as it is where none was.

    Of the settings file only `offline` counts: a network that is not to be asked is not asked here either.
    """
    from datetime import UTC, datetime

    from joulemark.suite.results.recompute import recomputed
    from joulemark.suite.settings import resolve, validated

    if all(value is None for value in given.values()):
        return run_file
    factors = given.get("emission_factors") or run_file.settings.emission_factors
    silent = offline or resolve({}).offline
    grid = service(validated({"offline": silent, "emission_factors": factors}))
    return recomputed(run_file, given, datetime.now(UTC), grid)
