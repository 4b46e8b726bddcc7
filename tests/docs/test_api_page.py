"""docs/api.md has every public name, and the docstrings that it shows are complete. No framework is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import DOCS, ROOT

import joulemark

LISTED = re.findall(r"^::: ([\w.]+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.M)
UNITS = {"_s": "second", "_j": "joule", "_w": "watt", "_bytes": "bytes"}
LAYERS = ("Kit.", "Cache.")
HOOKS = re.compile(r"on_[a-z_]+")
"""Methods of callbacks that the framework calls."""


def source(path: str) -> tuple[Path, str]:
    """Return the file and the name in it of an object."""
    module, _, name = path.rpartition(".")
    if module == "joulemark" and name in joulemark._MODULES:
        module = f"joulemark.{joulemark._MODULES[name]}"
    folder = ROOT / module.replace(".", "/")
    return (folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")), name


def definition(path: str) -> ast.ClassDef | ast.FunctionDef:
    """Return the syntax tree of a class or a function, followed through a package's imports."""
    file, name = source(path)
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}:
            return definition(f"{node.module}.{name}")
    raise AssertionError(f"{path}: not in {file}")


def bases(path: str) -> Iterator[str]:
    """Return the paths of the classes of joulemark that a class inherits from."""
    node = definition(path)
    tree = ast.parse(source(path)[0].read_text(encoding="utf-8"))
    imports = {
        alias.name: f"{each.module}.{alias.name}"
        for each in tree.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
    }
    for base in node.bases if isinstance(node, ast.ClassDef) else ():
        if isinstance(base, ast.Name) and imports.get(base.id, "").startswith("joulemark."):
            yield imports[base.id]
            yield from bases(imports[base.id])


def members(node: ast.ClassDef) -> Iterator[tuple[str, str | None, ast.FunctionDef | None]]:
    """Return name and docstring of each public member: fields, properties and methods; of a method, also its tree."""
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            yield statement.target.id, following.value.value if documented else None, None
        elif isinstance(statement, ast.FunctionDef) and not any(
            isinstance(each, ast.Attribute)
            for each in statement.decorator_list  # a property's setter
        ):
            yield statement.name, ast.get_docstring(statement), statement


def problems(name: str, docstring: str | None, function: ast.FunctionDef | None) -> Iterator[str]:
    """Return what a docstring lacks. Arguments of layers go by the field's names, with shapes, and are left out."""
    if not docstring:
        yield f"{name}: no docstring"
        return
    unit = next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")
    if unit not in docstring.lower():
        yield f"{name}: its docstring does not say {unit}s"
    arguments = function.args if function is not None else None
    for argument in (*arguments.args, *arguments.kwonlyargs) if arguments and not name.startswith(LAYERS) else ():
        known = rf"\b{argument.arg}\b"
        if argument.arg not in ("self", "cls") and not re.search(known, docstring):
            yield f"{name}: its docstring does not say what {argument.arg} is"


def test_every_public_name_is_on_the_page() -> None:
    public = {f"joulemark.{name}" for name in (*joulemark._MODULES, *joulemark.__all__)} - {"joulemark.__version__"}
    assert public - set(LISTED) == set()
    assert len(set(LISTED)) == len(LISTED)


@pytest.mark.parametrize("path", [*LISTED, *bases("joulemark.Meter")])
def test_docstrings_are_complete(path: str) -> None:
    node = definition(path)
    found = list(problems(node.name, ast.get_docstring(node), node if isinstance(node, ast.FunctionDef) else None))
    for name, docstring, function in members(node) if isinstance(node, ast.ClassDef) else ():
        if name == "__init__" or not (name.startswith("_") or HOOKS.fullmatch(name)):
            found += problems(f"{node.name}.{name}", docstring, function)
    assert found == []


def test_a_poor_docstring_is_found() -> None:
    tree = ast.parse(
        'class A:\n    a: int\n    b_s: float\n    """The time."""\n    def c(self, d):\n        """Return e."""\n'
    ).body[0]
    assert isinstance(tree, ast.ClassDef)
    assert [problem for member in members(tree) for problem in problems(*member)] == [
        "a: no docstring",
        "b_s: its docstring does not say seconds",
        "c: its docstring does not say what d is",
    ]
