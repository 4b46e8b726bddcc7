"""`joulemark references`, and `--against` of other verbs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from run_files import case, run_file

from joulemark.suite.records import write
from joulemark.suite.results.references.kept import load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the reference machine's own run, a later one like it, and one of another task."""
    path = tmp_path_factory.mktemp("home")
    kept = load("epyc-2-cores").runs[0]
    write(kept, path / "runs" / "20261101T120000Z-a1b2.json")
    later = kept.model_copy(update={"run": kept.run.model_copy(update={"id": "20261101T120000Z-e5f6"})})
    write(later, path / "runs" / "20261101T120000Z-e5f6.json")
    write(run_file([case("vit")]), path / "runs" / "20261101T120000Z-c3d4.json")
    return path


def test_references_are_listed_with_their_cases(home: Path) -> None:
    listed = joulemark(home, "references")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "NVIDIA H200" in listed.stdout
    assert "Provisional" in listed.stdout
    h200 = next(
        each
        for each in json.loads(joulemark(home, "references", "--json").stdout)["references"]
        if each["name"] == "h200"
    )
    resnet = next(case for case in h200["cases"] if case["id"].startswith("resnet50:base/training"))
    # docs/gpu.md: 3,980 images/s, 0.138 J an image
    assert resnet["throughput"]["value"] == pytest.approx(3980, rel=1e-3)
    assert resnet["energy_per_item_j"]["value"] == pytest.approx(0.138, rel=1e-2)
    assert resnet["trials"] == 1


def test_comparison_with_a_reference(home: Path) -> None:
    done = joulemark(home, "compare", "20261101T120000Z-a1b2", "--against", "epyc-2-cores", "--json")
    document = json.loads(done.stdout)
    speeds = [each["ratio"] for each in document["comparisons"] if each["metric"] == "throughput"]
    assert speeds == pytest.approx([1.0] * 21)
    (against,) = document["against"]
    assert [(index["framework"], index["value"]) for index in against["indices"] if index["value"]] == [
        ("pytorch", pytest.approx(1.0)),
        ("tensorflow", pytest.approx(1.0)),
        ("jax", pytest.approx(1.0)),
    ]
    assert against["part_of_it"]
    text = joulemark(home, "compare", "20261101T120000Z-a1b2", "--against", "h200").stdout
    assert text.startswith("Against NVIDIA H200 (h200), ")
    assert "A: h200, NVIDIA H200 (provisional)" in text
    assert "of equal operations and parameters" in text
    assert "Against NVIDIA H200 (h200), PyTorch eager: 1/" in text
    assert "another version of the workload did other work" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["compare", "20261101T120000Z-a1b2", "--against", "h100"], 2, "unknown reference machine 'h100'"),
        (["report", "20261101T120000Z-a1b2", "--against", "h100"], 2, "unknown reference machine 'h100'"),
        (["run", "--dry-run", "--against", "h100"], 2, "unknown reference machine 'h100'"),
        (["compare", "20261101T120000Z-a1b2", "20261101T120000Z-c3d4", "--against", "h200"], 2, "give one of them"),
        (["compare", "20261101T120000Z-c3d4", "--against", "h200"], 3, "h200 does not have this run's case; "),
    ],
)
def test_what_cannot_be_compared_is_one_line(home: Path, arguments: list[str], code: int, words: str) -> None:
    done = joulemark(home, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_page_and_terminal_name_the_index_against_two_references(home: Path) -> None:
    page = home / "page.html"
    done = joulemark(home, "report", "20261101T120000Z-e5f6", "-o", str(page))
    assert done.returncode == 0, done.stderr
    shown = joulemark(home, "show", "20261101T120000Z-e5f6").stdout
    for text in (page.read_text(), shown):
        assert "Against 2 cores of an AMD EPYC" in text
        assert "Against NVIDIA H200" in text
    assert "Against NVIDIA H200 (provisional), " in page.read_text()
    joulemark(home, "report", "20261101T120000Z-a1b2", "--against", "h200", "-o", str(page))
    assert "Against 2 cores of an AMD EPYC" not in page.read_text()
    assert "--against h200" in page.read_text()  # in the command that makes it again


def test_run_of_a_reference_is_not_beside_itself_unless_it_is_named(home: Path) -> None:
    own = "20261101T120000Z-a1b2"
    assert "2 cores of an AMD EPYC" not in joulemark(home, "show", own).stdout
    named = joulemark(home, "compare", own, "--against", "epyc-2-cores").stdout
    assert named.startswith("This run is part of that reference, 2 cores of an AMD EPYC")
    years = joulemark(home, "estimate", "--run", own, "-k", "matmul and pytorch", "--against", "h200")
    assert "h200 (provisional)" in years.stdout
    assert "its energy is of gpu" in years.stderr or "its energy is measured" in years.stderr
    absent = joulemark(home, "estimate", "--run", "20261101T120000Z-c3d4", "--against", "h200")
    assert "h200 does not have the case; " in absent.stderr
