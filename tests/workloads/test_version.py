"""A workload's version changes with the code that it runs in one framework, and with nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import joulemark
from joulemark.workloads.registry import supports, workloads
from joulemark.workloads.version import canonical, sources

pytestmark = pytest.mark.slow

PRINT = """
import json
from joulemark.workloads.registry import supports, workloads
frameworks = ("pytorch", "tensorflow", "jax")
versions = {f"{w.id} {f}": w.version(f) for w in workloads().values() for f in frameworks if supports(w, f)}
print(json.dumps(versions | {f"{w.id} spec": w.spec_version for w in workloads().values()}))
"""
PYTORCH, TENSORFLOW, JAX = (
    {f"{name} {framework}" for name, workload in workloads().items() if supports(workload, framework)}
    for framework in ("pytorch", "tensorflow", "jax")
)
NOT_INITIALISED = ("activation", "fft", "input_pipeline", "matmul", "pca", "stream")
ALL = PYTORCH | TENSORFLOW | JAX | {f"{name} spec" for name in workloads()}
INITIALISED = {f"{name} spec" for name in workloads() if name.split(".")[0] not in NOT_INITIALISED}


def versions(root: Path) -> dict[str, str]:
    """Versions of all workloads of the joulemark in `root`, from a process of its own."""
    completed = subprocess.run(
        [sys.executable, "-c", PRINT],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the package's workloads, and their versions."""
    root = tmp_path_factory.mktemp("copy")
    package = Path(joulemark.__file__).parent
    (root / "joulemark").mkdir()
    shutil.copy(package / "__init__.py", root / "joulemark")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package / "workloads", root / "joulemark" / "workloads", ignore=ignored)
    return root, versions(root)


def everywhere(*names: str) -> set[str]:
    return {f"{name} {what}" for name in names for what in ("pytorch", "tensorflow", "jax", "spec")} & ALL


CHANGE = "\nCHANGED = 1\n"
DOCSTRING = '\n"""Says something else."""\n# So does this.\n'


@pytest.mark.parametrize(
    ("file", "change", "changed"),
    [
        ("cnn/tensorflow.py", CHANGE, {"cnn tensorflow"}),
        ("resnet50/pytorch.py", CHANGE, {"resnet50 pytorch", "simclr pytorch"}),
        ("resnet50/spec.py", CHANGE, everywhere("resnet50", "simclr", "initialization.he", "initialization.glorot")),
        (
            "mobilenetv2/tensorflow.py",
            CHANGE,
            {
                f"{name} tensorflow"
                for name in ("mobilenetv2", "transfer.features", "transfer.frozen", "transfer.finetune")
            },
        ),
        ("attention/spec.py", CHANGE, everywhere("attention", "transformer") - {"transformer spec"}),
        ("kits/tensorflow/pytorch_equivalents.py", CHANGE, TENSORFLOW),
        ("kits/pytorch/__init__.py", CHANGE, PYTORCH),
        ("initial.py", CHANGE, PYTORCH | TENSORFLOW | JAX | INITIALISED),
        ("spec.py", CHANGE, set()),
        ("document.py", CHANGE, set()),
        ("cnn/jax.py", CHANGE, {"cnn jax"}),
        ("kits/jax/layers.py", CHANGE, JAX),
        ("cnn/another.py", CHANGE, set()),
        ("kits/pytorch/__init__.py", DOCSTRING, set()),
        ("cnn/spec.py", DOCSTRING, set()),
    ],
)
def test_a_change_reaches_what_runs_it(
    copy: tuple[Path, dict[str, str]], file: str, change: str, changed: set[str]
) -> None:
    root, before = copy
    path = root / "joulemark" / "workloads" / file
    text = path.read_text() if path.exists() else None
    path.write_text((text or "") + change)
    try:
        after = versions(root)
    finally:
        path.write_text(text) if text is not None else path.unlink()
    assert {name for name in before if after[name] != before[name]} == changed


def test_versions_are_those_of_the_copy_and_all_different(copy: tuple[Path, dict[str, str]]) -> None:
    _, copied = copy
    installed = {
        name: workload.spec_version if what == "spec" else workload.version(what)
        for name in copied
        for workload, what in [(workloads()[name.split()[0]], name.split()[1])]
    }
    assert installed == copied
    assert len(set(installed.values())) == len(installed) >= 70


def test_the_syntax_tree_is_the_same_text_in_every_python(tmp_path: Path) -> None:
    """The text itself is kept: a Python that names a node or a field differently fails here."""
    path = tmp_path / "module.py"
    path.write_text(
        '"""Module."""\n\nWIDTH = 3  # pixels\n"""Width."""\n\n\n'
        'def area(*, edge: int = 2, **_: int) -> str:\n    """Area."""\n    return f"{edge ** 2:.1f}"\n'
    )
    assert canonical(path) == (
        "Module(body=[Assign(targets=[Name(id='WIDTH')],value=Constant(value=3)),"
        "FunctionDef(name='area',args=arguments(kwonlyargs=[arg(arg='edge',annotation=Name(id='int'))],"
        "kw_defaults=[Constant(value=2)],kwarg=arg(arg='_',annotation=Name(id='int'))),"
        "body=[Return(value=JoinedStr(values=[FormattedValue(value=BinOp(left=Name(id='edge'),op=Pow(),"
        "right=Constant(value=2)),conversion=-1,format_spec=JoinedStr(values=[Constant(value='.1f')]))]))],"
        "returns=Name(id='str'))])"
    )


def test_a_workload_of_another_distribution_has_its_own_files_and_one_kit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its spec, its implementation, relative imports, and modules beside its folder."""
    folder = tmp_path / "theirs" / "net"
    folder.mkdir(parents=True)
    (tmp_path / "theirs" / "__init__.py").write_text("")
    (tmp_path / "theirs" / "helper.py").write_text("import json\n")
    (folder / "__init__.py").write_text("")
    (folder / "spec.py").write_text("WORKLOADS = ()\n")
    (folder / "tensorflow.py").write_text("")
    (folder / "pytorch.py").write_text("from ..helper import x\nfrom . import blocks\nimport no_such_package.part\n")
    (folder / "blocks.py").write_text("def f():\n    from joulemark.workloads.initial import he\n")
    monkeypatch.syspath_prepend(tmp_path)
    files = sources("theirs.net", "pytorch")
    theirs = {name for name in files if name.startswith("theirs")}
    assert theirs == {"theirs.net", "theirs.net.spec", "theirs.net.pytorch", "theirs.net.blocks", "theirs.helper"}
    assert "joulemark.workloads.initial" in files
    assert "joulemark.workloads.kits.pytorch.layers" in files
    assert not any(name.startswith("joulemark.workloads.kits.tensorflow") for name in files)
    assert not any(name.startswith("joulemark.suite") for name in files)


def test_a_package_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"workloads\.nothing"):
        sources("joulemark.workloads.nothing", "pytorch")
