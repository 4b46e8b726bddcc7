"""docs/settings.md against the code: profiles, environment variables, the example file."""

from __future__ import annotations

import re
import tomllib

import pytest
from places import ROOT

from joulemark.suite.plan.profiles import PROFILES
from joulemark.suite.records import Settings
from joulemark.suite.settings import SECTIONS

PAGE = (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_match_the_table(name: str) -> None:
    profile = PROFILES[name]
    (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", PAGE, re.M)
    what, rounds, windows, compiled = (cell.strip() for cell in row.split("|"))
    assert int(rounds) == profile.rounds
    assert windows == f"{profile.window_s['cpu']:g}, {profile.window_s['cuda']:g}"
    assert compiled == ("yes" if profile.optimised else "no")
    if name in ("quick", "ci"):
        on_cpu, on_gpu = (", ".join(profile.workloads[kind]) for kind in ("cpu", "cuda"))
        assert what == (on_cpu if on_cpu == on_gpu else f"{on_cpu}; on a GPU: {on_gpu}")
    assert profile.size == {"cpu": "small", "cuda": "base"}
    assert profile.precisions == {"cpu": ("fp32",), "cuda": ("fp32", "bf16")}
    assert profile.limit_s == (8 * 60 if name == "quick" else None)


def test_all_environment_variables_are_listed() -> None:
    sources = [path for package in ("suite", "joulemark") for path in (ROOT / package).rglob("*.py")]
    used = {name for path in sources for name in re.findall(r"[\"'](JOULEMARK_[A-Z_]+)[\"']", path.read_text())}
    assert set(re.findall(r"`(JOULEMARK_[A-Z_]+)`", PAGE)) == used


def test_the_example_file_is_valid() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    values = {key: value for key, value in tomllib.loads(example).items() if key not in SECTIONS}
    assert Settings.model_validate(values).profiles["night"].rounds == 20
