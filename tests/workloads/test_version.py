"""A workload's version changes with every source that it runs, and with no other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import joulemark
from joulemark.workloads.registry import workloads as registered
from joulemark.workloads.sources import sources

PRINT = """
import json
from joulemark.workloads.registry import workloads
print(json.dumps({w.id: w.version() for w in workloads().values()}))
"""
ALL = set(registered())


def versions(root: Path) -> dict[str, str]:
    """Versions of all workloads of the package in `root`, told by a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the package, and its versions."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(Path(joulemark.__file__).parent, root / "joulemark", ignore=shutil.ignore_patterns("__pycache__"))
    return root, versions(root)


@pytest.mark.parametrize(
    ("file", "touched"),
    [
        ("cnn/tensorflow.py", {"cnn"}),
        ("resnet50/pytorch.py", {"resnet50", "simclr"}),
        ("resnet50/spec.py", {"resnet50", "simclr", "initialization.he", "initialization.glorot"}),
        ("mobilenetv2/tensorflow.py", {"mobilenetv2", "transfer.features", "transfer.frozen", "transfer.finetune"}),
        ("attention/spec.py", {"attention", "transformer"}),
        ("kits/tensorflow/matched.py", ALL),
        ("kits/pytorch/__init__.py", ALL),
        ("document.py", set()),
    ],
)
def test_a_change_reaches_what_runs_it(copy: tuple[Path, dict[str, str]], file: str, touched: set[str]) -> None:
    root, before = copy
    path = root / "joulemark" / "workloads" / file
    text = path.read_text()
    path.write_text(text + "\nCHANGED = 1\n")
    try:
        after = versions(root)
    finally:
        path.write_text(text)
    assert {name for name in before if after[name] != before[name]} == touched


def test_versions_are_those_of_the_copy_and_all_unlike(copy: tuple[Path, dict[str, str]]) -> None:
    _, there = copy
    here = {w.id: w.version() for w in registered().values()}
    assert {name: here[name] for name in there} == there
    assert len(set(here.values())) == len(here)


def test_another_distribution_s_workload_has_its_own_files_and_the_kits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative imports and a helper beside the folder; of the kits only that of the framework it has a file for."""
    folder = tmp_path / "theirs" / "net"
    folder.mkdir(parents=True)
    (tmp_path / "theirs" / "__init__.py").write_text("")
    (tmp_path / "theirs" / "helper.py").write_text("import json\n")
    (folder / "__init__.py").write_text("")
    (folder / "pytorch.py").write_text("from ..helper import x\nfrom . import blocks\nimport no_such_package.part\n")
    (folder / "blocks.py").write_text("def f():\n    from joulemark.workloads.initial import he\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = sources("theirs.net")
    theirs = {name for name in found if name.startswith("theirs")}
    assert theirs == {"theirs.net", "theirs.net.pytorch", "theirs.net.blocks", "theirs.helper"}
    assert "joulemark.workloads.initial" in found
    assert "joulemark.workloads.kits.pytorch.layers" in found
    assert not any(name.startswith("joulemark.workloads.kits.tensorflow") for name in found)


def test_a_package_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"workloads\.nothing"):
        sources("joulemark.workloads.nothing")
