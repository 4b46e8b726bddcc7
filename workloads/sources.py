"""Which sources a workload is made of, so that its version changes with each of them.

Found by reading import statements: importing a workload's files would import its frameworks.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_HERE = Path(__file__).parent
_CONTRACT = _HERE / "spec.py"
"""Types that every workload uses and that do no work: no part of any version."""


@cache
def version(name: str, package: str) -> str:
    """First 12 hex digits of the SHA-256 of `name` and all sources of the workload whose package is `package`."""
    return digest(name, sources(package))


def digest(name: str, files: Mapping[str, Path]) -> str:
    """First 12 hex digits of the SHA-256 of `name` and of `files`, in the order of their module names."""
    found = hashlib.sha256(name.encode())
    for module, path in sorted(files.items()):
        content = path.read_bytes()
        found.update(f"\0{module}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:12]


def sources(package: str) -> Mapping[str, Path]:
    """Module name -> file: the package's own files, the kit of each framework it has a file for, and all that these
    import from `workloads` and from the package's own distribution. ModuleNotFoundError where there is no such package.
    """
    located = importlib.util.find_spec(package)
    if located is None or not located.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {package}", name=package)
    own = Path(located.submodule_search_locations[0])
    top = own.parents[package.count(".")]  # the directory that holds the top-level package
    roots = MappingProxyType({package.partition(".")[0]: top, "joulemark": _HERE.parents[1]})
    return closure({**_folder(package, own), **_kits(own)}, roots)


def closure(start: Mapping[str, Path], roots: Mapping[str, Path]) -> Mapping[str, Path]:
    """`start` and every module that it imports, and so on; `roots`: top-level package -> directory that holds it.
    Other packages are not followed."""
    found: dict[str, Path] = {}
    waiting = dict(start)
    while waiting:
        module, path = waiting.popitem()
        found[module] = path
        for name in _imported(path, module):
            root = roots.get(name.partition(".")[0])
            there = _file(root, name) if root else None
            if there is not None and there != _CONTRACT and name not in found:
                waiting[name] = there
    return found


def _folder(package: str, directory: Path) -> dict[str, Path]:
    """All files of one package, without its sub-packages."""
    return {_module(package, path): path for path in directory.glob("*.py")}


def _module(package: str, path: Path) -> str:
    return package if path.stem == "__init__" else f"{package}.{path.stem}"


def _kits(own: Path) -> dict[str, Path]:
    """The files of the kit of each framework for which the workload has one: `build` gets it as an argument."""
    kits = [path for path in (_HERE / "kits").iterdir() if (own / f"{path.name}.py").is_file()]
    return {
        module: path for kit in kits for module, path in _folder(f"joulemark.workloads.kits.{kit.name}", kit).items()
    }


def _imported(path: Path, module: str) -> Iterator[str]:
    """Names that may be modules: `from a.b import c` gives a.b and a.b.c."""
    parts = module.split(".")
    package = parts if path.stem == "__init__" else parts[:-1]
    for node in _statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def _statements(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """All import statements of a file, those within functions too."""
    tree = ast.parse(path.read_bytes(), str(path))
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def _file(root: Path, name: str) -> Path | None:
    """The file of the module `name`; None where it is none."""
    stem = root.joinpath(*name.split("."))
    for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None
