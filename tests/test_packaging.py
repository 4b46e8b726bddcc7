"""What is installed: one top-level package and its version, from a checkout, from an sdist, and editable."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from command import environment
from environments import require
from places import ROOT

pytestmark = pytest.mark.slow
require("hatchling", "hatch_vcs")

BUILD_FILES = ("pyproject.toml", ".gitattributes", ".git_archival.txt")
"""What a version is made of."""


def build(source: Path, target: str, out: Path) -> Path:
    """Build `target` (`wheel`, `sdist`, `wheel:editable`) of `source` and return its path."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(out)],
        cwd=source,
        check=True,
        capture_output=True,
        timeout=300,
    )
    (path,) = out.iterdir()
    return path


def version(folder: Path, **variables: str) -> str:
    """Return the version that a build of `folder` would have."""
    command = [sys.executable, "-m", "hatchling", "version"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SETUPTOOLS_SCM_")}
    done = subprocess.run(
        command, cwd=folder, env={**inherited, **variables}, check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout.strip()


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of three commits without a tag, with this project's build files."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in BUILD_FILES:
        shutil.copy(ROOT / name, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    for number in range(3):
        git(folder, "commit", "--quiet", "--allow-empty", "--message", str(number))
    return folder


def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def test_a_wheel_has_one_top_level_package(wheel):
    top = {name.partition("/")[0] for name in names(wheel)}
    assert {name for name in top if not name.endswith(".dist-info")} == {"joulemark"}
    files = {
        "joulemark/suite/cli/app.py",
        "joulemark/workloads/kits/pytorch/__init__.py",
        "joulemark/reports/assets/page.js",
        "joulemark/pytest_plugin/__init__.py",
        "joulemark/suite/results/references/data/references.toml",
        *(
            f"joulemark/{path.relative_to(ROOT)}"
            for path in (ROOT / "suite/results/references/data").glob("*/*.json.gz")
        ),
    }
    assert files <= names(wheel)


def test_a_wheel_of_the_sdist_is_the_same(wheel, tmp_path):
    sdist = build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    again = build(source, "wheel", tmp_path / "wheel")
    assert names(again) == names(wheel)
    assert again.name == wheel.name, "its version is in PKG-INFO, without git"


def test_what_is_installed_says_its_version(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    built = wheel.name.split("-")[1]
    assert built == version(ROOT)
    variables = environment(tmp_path, PYTHONPATH=str(tmp_path / "site"))
    command = [sys.executable, "-P", "-m", "joulemark"]

    def says(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments], env=variables, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120
        )
        return done.stdout

    assert says("--version") == f"joulemark {built}\n"
    measured = json.loads(says("measure", "--json", "--offline", "--sensor", "power_model", "--", "true"))
    assert json.loads(Path(measured["path"]).read_text())["run"]["suite_version"] == built


def test_a_clone_without_tags_is_before_the_first_release(repository):
    assert version(repository) == f"0.1.dev3+g{git(repository, 'rev-parse', 'HEAD')[:9]}"


def test_a_tag_is_the_version_and_what_follows_names_its_commit(repository):
    git(repository, "tag", "v1.2.3")
    assert version(repository) == "1.2.3"
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "later")
    assert version(repository) == f"1.2.4.dev1+g{git(repository, 'rev-parse', 'HEAD')[:9]}"
    with (repository / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert version(repository).startswith("1.2.4.dev1+g"), "and the day, since the commit is not all of it"
    assert ".d20" in version(repository)


def test_a_shallow_clone_names_its_commit(repository, tmp_path):
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", "shallow")
    assert version(tmp_path / "shallow") == f"0.1.dev1+g{git(repository, 'rev-parse', 'HEAD')[:9]}"


def test_an_archive_has_its_version_and_without_git_it_is_no_release(repository, tmp_path):
    """A hosting service's archive of a tag is what an action's users get."""
    git(repository, "tag", "v1.2.3")
    git(repository, "archive", "--output", str(tmp_path / "archive.tar"), "HEAD")
    with tarfile.open(tmp_path / "archive.tar") as archive:
        archive.extractall(tmp_path / "archive", filter="data")
    assert version(tmp_path / "archive") == "1.2.3"
    assert version(repository, PATH="/nowhere") == "0.0"


def test_an_editable_install_puts_joulemark_alone_on_the_path(tmp_path):
    editable = zipfile.ZipFile(build(ROOT, "wheel:editable", tmp_path))
    (path_file,) = (name for name in editable.namelist() if name.endswith(".pth"))
    folder = Path(editable.read(path_file).decode().strip())
    assert [path.name for path in folder.iterdir()] == ["joulemark"]
    assert (folder / "joulemark" / "suite" / "cli" / "app.py").is_file()
