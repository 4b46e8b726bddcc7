"""The mutation study, on a package of one line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studies.mutants.__main__ import check_unmutated, chosen, controls, main
from studies.mutants.copies import Copies, snapshot
from studies.mutants.definitions import Edit, Mutant, StudyError, edits

CODE = "joulemark/workloads/__init__.py"
TEST = """from joulemark.workloads import double
def test_double(): assert double(2) == 4
def test_none(): assert double(0) == 0
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """A project with a package of the name that the study mutates."""
    root = tmp_path_factory.mktemp("project") / "root"
    for name, text in {
        "joulemark/__init__.py": "",
        CODE: "def double(x): return 2 * x\n",
        "joulemark/suite/__init__.py": "",
        "tests/test_double.py": TEST,
        "pyproject.toml": "[tool.pytest.ini_options]\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Copies(snapshot(root, root.parent / "original"))


def mutant(new: str, old: str = "2 * x", test: str = "test_double.py") -> Mutant:
    return Mutant("m", "wrong", None, [Edit(CODE, old, new)], [f"tests/{test}"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("new", "outcome", "test"),
    [
        ("3 * x", "killed", "tests/test_double.py::test_double"),
        ("x + x", "survived", None),
        ("2 * y", "broken", "tests/test_double.py::test_double"),
        ("2 *", "broken", "tests/test_double.py"),
    ],
)
def test_outcomes(project: Copies, new: str, outcome: str, test: str | None) -> None:
    fault = mutant(new)
    actual = project.run(fault, fault.selection)
    assert (actual.outcome, actual.test) == (outcome, test)
    assert (project.original / CODE).read_text() == "def double(x): return 2 * x\n"


@pytest.mark.slow
def test_the_code_as_it_is_must_pass(project: Copies, tmp_path: Path) -> None:
    wrong = Copies(snapshot(project.original, tmp_path / "wrong"))
    Edit(CODE, "2 * x", "3 * x").apply(wrong.original)
    both = {"tests/test_double.py::test_double", "tests/test_double.py::test_none"}
    with ThreadPoolExecutor(1) as pool:
        assert check_unmutated(project, pool, [["tests"]]) == both
        with pytest.raises(StudyError, match=r"the code as it is fails tests/test_double.py::test_double"):
            check_unmutated(wrong, pool, [["tests"]])


@pytest.mark.slow
def test_tests_that_import_the_installed_package_end_the_study(project: Copies, tmp_path: Path) -> None:
    other = Copies(snapshot(project.original, tmp_path / "other"))
    (other.original / "joulemark").rename(other.original / "renamed")
    (other.original / "tests" / "test_double.py").write_text("def test(): pass\n")
    with pytest.raises(StudyError, match=r"the tests did not see the copy: joulemark comes from .*, not from "):
        other.run(None, ["tests"])


@pytest.mark.slow
def test_no_tests_end_the_study(project: Copies) -> None:
    with pytest.raises(StudyError, match="pytest ended with 5 and 0 tests passed"):
        project.run(None, ["tests", "-k", "nothing"])


def test_a_text_that_does_not_occur_once_is_named(project: Copies) -> None:
    with pytest.raises(StudyError, match=r"has 'x' 2 times, not once: correct the mutant's `edits`"):
        project.run(mutant("y", "x"), ["tests"])


def test_sides_are_those_of_the_edited_files() -> None:
    def side(*files: str) -> str:
        return Mutant("m", "", None, edits([(file, "a", "b") for file in files])).side

    assert side("workloads/vit/{framework}.py") == "both"
    assert side("workloads/vit/pytorch.py") == "pytorch"
    assert side("workloads/vit/spec.py") == "spec"
    assert side("workloads/kits/{framework}/layers.py") == "both, kit"
    assert side("suite/trial/frameworks/tensorflow.py") == "tensorflow, adapter"


def test_controls_are_the_files_that_come_first() -> None:
    golden = {w: Mutant(w, "", w, [], ["golden", "parity"]) for w in ("vit", "bert")}
    assert controls({**golden, "x": Mutant("x", "", None, [], ["training"])}) == [
        ["golden", "-k", "bert or vit"],
        ["training"],
    ]


def test_an_unknown_mutant_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen([], {"a": mutant("1")}).keys() == {"a"}
    assert main(["nonesuch"]) == 2
    assert "no mutant is called nonesuch; there are mlp-without-relu, " in capsys.readouterr().err
