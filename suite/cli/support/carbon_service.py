"""Look up carbon intensities, and recompute the emissions of runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joulemark.suite.carbon.service import Service, from_environment
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, RunFile, Settings, write
from joulemark.suite.results.run_files import read
from joulemark.suite.settings import resolve, validated
from joulemark.suite.system.directories import find_cache


def carbon_service(settings: Settings) -> Service:
    """Return the Electricity Maps service for the environment and `settings`, with its cache in the home."""
    return from_environment(settings.offline, settings.emission_factors, find_cache("cache"))


def notice_text(notice: Notice) -> str:
    """Return a notice with a remedy that fits verbs without a run to recompute."""
    remedies = {
        Code.WORLD_INTENSITY: "Give --zone (for example --zone CH) or --intensity.",
        Code.INTENSITY_FALLBACK: "Try again when the service is available.",
    }
    has_own = notice.remedy != notice.code.remedy
    return f"! {notice.message} {notice.remedy if has_own else remedies.get(notice.code, notice.remedy)}"


def update_intensity(path: Path, service: Service) -> RunFile:
    """Return the run file at `path` with the intensity of the hours it took; rewrite the file if that is new."""
    from joulemark.suite.results.recompute import recompute_with_actual_intensity

    run_file = read(path)
    updated = recompute_with_actual_intensity(run_file, datetime.now(UTC), service)
    if updated is not run_file:
        write(updated, path)
    return updated


def recompute_emissions(run_file: RunFile, given: Mapping[str, Any], offline: bool) -> RunFile:
    """Return `run_file` recomputed with the carbon options `given`; unchanged if there are none.

    Of the settings file and the environment only `offline` counts: they are about runs to come.
    """
    from joulemark.suite.results.recompute import recompute_with_options

    if not given:
        return run_file
    factors = given.get("emission_factors") or run_file.settings.emission_factors
    offline = offline or resolve({}).offline
    service = carbon_service(validated({"offline": offline, "emission_factors": factors}))
    return recompute_with_options(run_file, given, datetime.now(UTC), service)
