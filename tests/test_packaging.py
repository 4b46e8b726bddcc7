"""What is installed: one top-level package, from a checkout, from an sdist, and editable."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from places import ROOT

pytestmark = pytest.mark.slow


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
    assert names(build(source, "wheel", tmp_path / "wheel")) == names(wheel)


def test_an_editable_install_puts_joulemark_alone_on_the_path(tmp_path):
    editable = zipfile.ZipFile(build(ROOT, "wheel:editable", tmp_path))
    (path_file,) = (name for name in editable.namelist() if name.endswith(".pth"))
    folder = Path(editable.read(path_file).decode().strip())
    assert [path.name for path in folder.iterdir()] == ["joulemark"]
    assert (folder / "joulemark" / "suite" / "cli" / "app.py").is_file()
