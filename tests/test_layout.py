"""The layout of the repository: packages, sizes of files, plain names, and what CONTRIBUTING says of them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

SOURCES = ("suite", "workloads", "reports", "joulemark", "benchmarks", "studies", "tests")
ROOT_MODULES = {"__init__", "errors", "machine", "notices", "settings", "units"}
MAX_LINES = 250
MAX_MODULES = 16

RETIRED = frozenset(
    [
        "Desk",
        "Errand",
        "Station",
        "Growing",
        "mirrors",
        "Room",
        "Patience",
        "hears",
        "Order",
        "Watcher",
        "Side",
        "Arm",
        "Reach",
        "Charge",
        "Rest",
        "at_rest",
        "draws",
        "Source",
        "_Happened",
        "house",
        "Helper",
        "Trained",
        "inert",
        "opinion",
        "supposed",
        "anew",
        "again",
        "recorded",
        "uncovered",
        "keeps_pace",
        "asked",
        "typed",
        "told",
        "judge",
        "lay_out",
        "blind",
        "off",
        "off_w",
        "off_j",
        "words",
        "reading",
        "descends",
        "doubts",
        "looks",
        "patience",
        "zygotes",
    ]
)
"""Names that were replaced by plain ones; one thing has one name."""

RUN_FILE_KEYS = frozenset({"blind"})
"""Fields of records, which other programs read."""


def python_files() -> list[Path]:
    links = {ROOT / "joulemark" / name for name in ("suite", "workloads", "reports")}
    files = (path for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
    return [path for path in files if not links & set(path.parents)]


def defined_names(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_the_harness_is_packages_and_five_modules():
    names = {path.stem for path in (ROOT / "suite").glob("*.py")}
    assert names == ROOT_MODULES


def test_every_package_of_the_harness_is_a_layer():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {name.strip() for layer in contracts[0]["layers"] for name in layer.split("|")}
    packages = {path.parent.name for path in (ROOT / "suite").glob("*/__init__.py")}
    assert layers == packages | ROOT_MODULES - {"__init__"}


def test_a_package_has_few_modules():
    folders = {path.parent for path in (ROOT / "suite").rglob("*.py")}
    crowded = {folder: len(list(folder.glob("*.py"))) - 1 for folder in folders if folder.name != "verbs"}
    assert {folder: count for folder, count in crowded.items() if count > MAX_MODULES} == {}


@pytest.mark.parametrize("ending", ["py", "js", "css", "html"])
def test_a_file_is_short(ending):
    paths = python_files() if ending == "py" else [*(ROOT / "reports").rglob(f"*.{ending}")]
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}
    assert {path: lines for path, lines in long.items() if lines > MAX_LINES} == {}


def test_no_retired_name_is_defined():
    for path in python_files():
        if "tests" not in path.parts:
            assert (RETIRED - RUN_FILE_KEYS) & set(defined_names(path)) == set(), path


def test_contributing_names_every_package_and_only_files_that_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    packages = {f"suite/{path.parent.name}/" for path in (ROOT / "suite").glob("*/__init__.py")}
    assert packages <= set(re.findall(r"`([\w/]+/)`", text))
    named = re.findall(r"`((?:suite|workloads|reports|joulemark|tests|docs)/[\w/.]+)`", text)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []
