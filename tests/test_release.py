"""What a release needs: a changelog in the usual form, and a workflow that publishes tags, and without a token."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
SCRIPT = ROOT / ".ci" / "changelog.py"
_spec = spec_from_file_location("changelog", SCRIPT)
changelog = module_from_spec(_spec)
_spec.loader.exec_module(changelog)

GOOD = """# Changelog

## Unreleased

- A change.

## 0.2.0 - 2026-12-31

### Added

- A verb.

## 0.1.0 - 2026-12-01

First version.
"""


def release() -> dict[str, Any]:
    return yaml.safe_load((WORKFLOWS / "release.yml").read_text())


def test_the_changelog_has_the_usual_form():
    assert list(changelog.problems((ROOT / "CHANGELOG.md").read_text())) == []


def test_sections_are_found_and_those_without_text_are_not():
    assert list(changelog.problems(GOOD)) == []
    assert changelog.section_of(GOOD, "0.2.0") == "### Added\n\n- A verb."
    assert changelog.section_of(GOOD, "0.1.0") == "First version."
    for version in ("Unreleased", "0.3.0", "0.2"):
        assert changelog.section_of(GOOD, version) is None
    assert changelog.section_of(GOOD.replace("First version.", ""), "0.1.0") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("## Unreleased\n", "", "begin with"),
        ("0.2.0 - 2026-12-31", "0.2.0", "is no release"),
        ("2026-12-31", "2026-02-30", "is no release"),
        ("0.2.0 - 2026-12-31", "0.0.9 - 2026-12-31", "newest comes first"),
        ("0.2.0 - 2026-12-31", "0.2.0 - 2026-11-30", "newest comes first"),
        ("### Added", "### Improved", "is no group"),
    ],
)
def test_another_form_is_found(old, new, said):
    (problem,) = changelog.problems(GOOD.replace(old, new))
    assert said in problem


def test_only_tags_are_published_and_each_job_may_do_no_more_than_it_does():
    workflow = release()
    assert workflow[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    assert {name: job.get("permissions") for name, job in workflow["jobs"].items()} == {
        "build": {"contents": "read", "id-token": "write", "attestations": "write"},
        "publish": {"id-token": "write"},
        "announce": {"contents": "write"},
    }
    assert "secrets." not in (WORKFLOWS / "release.yml").read_text()


def test_what_is_published_was_built_checked_and_attested():
    jobs = release()["jobs"]
    build = [step.get("name") or step["uses"] for step in jobs["build"]["steps"]]
    order = ["The changelog has a section", "Build and check", "The version is", "The wheel", "actions/attest", "dist"]
    named = [*build[:-2], jobs["build"]["steps"][-2]["with"]["name"]]
    places = [next(i for i, name in enumerate(named) if name.startswith(each)) for each in order]
    assert places == sorted(places)
    assert jobs["build"]["steps"][0]["with"]["fetch-depth"] == 0
    publish = jobs["publish"]
    assert (publish["needs"], publish["environment"]["name"]) == ("build", "pypi")
    download, upload = publish["steps"]
    assert download["with"] == {"name": "dist", "path": "dist/"}
    assert upload == {"uses": "pypa/gh-action-pypi-publish@release/v1"}


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_actions_have_versions_and_tags_reach_a_shell_as_variables(path):
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        for step in job["steps"]:
            assert re.fullmatch(
                r"(actions/[\w-]+@v\d+|pypa/gh-action-pypi-publish@release/v\d+)", step.get("uses", "actions/_@v1")
            )
            assert not re.search(r"\$\{\{\s*(github|inputs|env|steps)\b", step.get("run", ""))


@pytest.mark.slow
@pytest.mark.parametrize(("tag", "code"), [("v0.2.0", 0), ("v0.3.0", 2)])
def test_a_tag_without_a_section_is_refused(tmp_path: Path, tag: str, code: int):
    (tmp_path / ".ci").mkdir()
    shutil.copy(SCRIPT, tmp_path / ".ci")
    (tmp_path / "CHANGELOG.md").write_text(GOOD)
    assert run_step(tmp_path, "The changelog has a section for this version", tag) == code
    assert (tmp_path / "notes" / "notes.md").read_text() == ("### Added\n\n- A verb.\n" if code == 0 else "")


@pytest.mark.slow
@pytest.mark.parametrize(("built", "code"), [("0.2.0", 0), ("0.2.1.dev1+g1234567", 1)])
def test_a_build_of_another_version_is_refused(tmp_path: Path, built: str, code: int):
    (tmp_path / "dist").mkdir()
    for name in (f"joulemark-{built}.tar.gz", f"joulemark-{built}-py3-none-any.whl"):
        (tmp_path / "dist" / name).touch()
    assert run_step(tmp_path, "The version is that of the tag", "v0.2.0") == code


def run_step(folder: Path, name: str, tag: str) -> int:
    """Run a step of the job that builds, as GitHub does, and return its exit code."""
    (script,) = (step["run"] for step in release()["jobs"]["build"]["steps"] if step.get("name") == name)
    python = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={"TAG": tag, "PATH": python},
        timeout=60,
        check=False,
    )
    return done.returncode
