"""Versions of a workload, in one framework and in all: hashes of the code that it runs, by syntax tree.

Docstrings, comments and layout do not count, and neither do the files of other frameworks: a version changes where the
work may have changed. Modules are found by reading import statements, since importing them would import a framework.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_WORKLOADS = "joulemark.workloads"
_HERE = Path(__file__).parent
_IGNORED = frozenset({f"{_WORKLOADS}.{name}" for name in ("errors", "kit", "registry", "spec", "version")})
"""The contract and the look-up: they do no work."""
_NO_MEANING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields of a syntax tree that follow from others, or belong to comments."""


@cache
def version(name: str, package: str, framework: str) -> str:
    """Return the version of workload `name` of `package` in `framework`: 12 hex digits of a SHA-256.

    It covers `spec.py`, `<framework>.py`, the framework's kit, and all that these import of the package's own
    distribution and of `joulemark.workloads`.

    Raises:
        ModuleNotFoundError: where there is no such package.
    """
    return digest(name, sources(package, framework))


@cache
def spec_version(name: str, package: str) -> str:
    """Return the version of what workload `name` of `package` is in every framework, of the same form.

    It covers `spec.py` and what that imports, as `version` does. Raises ModuleNotFoundError as `version` does.
    """
    return digest(name, closure([package, f"{package}.spec"], _roots(package)))


def digest(name: str, modules: Mapping[str, Path]) -> str:
    """Return 12 hex digits of the SHA-256 of `name` and of the syntax trees of `modules`, by module name."""
    sha = hashlib.sha256(name.encode())
    for module, path in sorted(modules.items()):
        sha.update(f"\0{module}\0{canonical(path)}".encode())
    return sha.hexdigest()[:12]


def sources(package: str, framework: str) -> Mapping[str, Path]:
    """Return the files, by module name, that the version of a workload of `package` in `framework` covers."""
    kit = f"{_WORKLOADS}.kits.{framework}"
    names = [package, f"{package}.spec", f"{package}.{framework}", *_modules(kit, _HERE / "kits" / framework)]
    return closure(names, _roots(package))


def _roots(package: str) -> Mapping[str, Path]:
    """Return the packages whose imports count, each with the folder that holds its top-level package."""
    located = importlib.util.find_spec(package)
    if located is None or not located.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {package}", name=package)
    if package.startswith(f"{_WORKLOADS}."):
        return {_WORKLOADS: _HERE.parents[1]}  # of our own distribution, workloads alone
    folder = Path(located.submodule_search_locations[0])
    return {package.partition(".")[0]: folder.parents[package.count(".")], _WORKLOADS: _HERE.parents[1]}


def closure(names: list[str], roots: Mapping[str, Path]) -> Mapping[str, Path]:
    """Return the files of the modules `names` and of all that they import, by module name.

    `roots`: package whose modules are followed -> folder that holds its top-level package. Others are left out.
    """
    files: dict[str, Path] = {}
    pending = list(names)
    while pending:
        name = pending.pop()
        root = next((path for package, path in roots.items() if f"{name}.".startswith(f"{package}.")), None)
        path = _file(root, name) if root else None
        if path is not None and name not in files and name not in _IGNORED:
            files[name] = path
            pending += _imported(path, name)
    return files


@cache
def canonical(path: Path) -> str:
    """Return the syntax tree of a file as text, without docstrings and positions; the same in every Python."""
    return _text(_tree(path))


def _text(node: object) -> str:
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if name not in _NO_MEANING)
        # Fields that a newer Python has added are empty in older code.
        inner = ",".join(f"{name}={_text(value)}" for name, value in fields if value not in (None, []))
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return f"[{','.join(_text(item) for item in node if not _is_docstring(item))}]"
    return repr(node)


def _is_docstring(node: object) -> bool:
    """Whether a statement is a string alone, of a function, a class, a module or an attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


@cache
def _imported(path: Path, module: str) -> tuple[str, ...]:
    """Names that may be modules: `from a.b import c` gives a.b and a.b.c."""
    parts = module.split(".")
    package = parts if path.stem == "__init__" else parts[:-1]
    return tuple(name for node in ast.walk(_tree(path)) for name in _names(node, package))


def _names(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Names that an import statement in a module of `package` imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _modules(package: str, folder: Path) -> Iterator[str]:
    """Names of the modules of one package, without its subpackages."""
    for path in folder.glob("*.py"):
        yield package if path.stem == "__init__" else f"{package}.{path.stem}"


def _file(root: Path, name: str) -> Path | None:
    """The file of the module `name` below `root`; None where it is none."""
    stem = root.joinpath(*name.split("."))
    for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None
