"""`git bisect run joulemark check --bisect` on a history in which one commit does more work."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from command import COMMAND, FAST_ROUNDS, environment, joulemark
from environments import known, require

from joulemark.suite.cli.bisect_codes import SKIP, STOP

pytestmark = pytest.mark.slow
require("torch")

SPEC = """
import numpy as np

from joulemark.workloads.spec import Size, Workload

WORKLOADS = (
    Workload(
        name="measured",
        title="what the library does",
        family="measured",
        item="step",
        paper="none",
        phases=("inference",),
        sizes={"tiny": Size({}, {"cpu": 1, "cuda": 1})},
        inputs=lambda size, phase, batch, generator: {
            "x": generator.standard_normal((batch, 96, 96), dtype=np.float32)
        },
        package="measured",
        flops=lambda size, phase: 8 * 2.0 * 96**3,
        bytes=lambda size, phase, batch, element: batch * 4.0 * 2 * 96**2,
    ),
)
"""
PYTORCH = """
import library

from joulemark.workloads.spec import Program


def build(size, phase, kit):
    return Program(step=lambda x: {"y": library.transform(x)})
"""
LIBRARY = """
import torch


def transform(x):
    y = x
    for _ in range(8):
        y = torch.tanh(x @ y)
    for _ in range(EXTRA):
        torch.tanh(x @ y)
    return y
"""
HISTORY = {
    "good": LIBRARY.replace("EXTRA", "0"),
    "comment": LIBRARY.replace("EXTRA", "0") + "# reads better\n",
    "rename": LIBRARY.replace("EXTRA", "0").replace("y", "product"),
    "again": LIBRARY.replace("EXTRA", "0"),
    "broken": "import no_such_module\n",
    "repaired": LIBRARY.replace("EXTRA", "0") + "# repaired\n",
    "slow": LIBRARY.replace("EXTRA", "400"),
    "later": LIBRARY.replace("EXTRA", "400") + "# later\n",
    "bad": LIBRARY.replace("EXTRA", "400") + "# still later\n",
}
"""What the library is after each commit, by its message. The workload never changes: its versions are comparable."""

SELECTION = ("--profile", "fast", "--workload", "measured", "--framework", "pytorch", "--threads", "1", "--rounds", "2")
KEPT = ("check", "--bisect", "3", "--baseline", "good")
STEP = (*KEPT, "--threshold", "throughput:off", "--threshold", "energy:off")
"""What a step does is judged exactly, however busy the machine is."""


def git(repository: Path, *arguments: str, **variables: str) -> str:
    author = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *author, *arguments],
        cwd=repository,
        env=environment(repository.parent, PYTHONDONTWRITEBYTECODE="1", **variables),
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def commit(repository: Path, message: str) -> str:
    return git(repository, "rev-parse", f":/^{message}").strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with this history, beside a home that keeps a run of the good commit as `good`."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    home = tmp_path_factory.mktemp("bisect")
    repository = home / "repository"
    for name, text in {
        "measured/__init__.py": "",
        "measured/spec.py": SPEC,
        "measured/pytorch.py": PYTORCH,
        "measured-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: measured\nVersion: 1.0\n",
        "measured-1.0.dist-info/entry_points.txt": "[joulemark.workloads]\nmeasured = measured.spec\n",
    }.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)
    git(repository, "init", "--quiet")
    for message, text in HISTORY.items():
        (repository / "library.py").write_text(text)
        git(repository, "add", ".")
        git(repository, "commit", "--quiet", "--message", message)
    git(repository, "checkout", "--quiet", commit(repository, "good"))
    (home / "joulemark.toml").write_text(FAST_ROUNDS.replace("0.3", "0.1"))
    variables = {"PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ("--size", "tiny", "--offline", "--no-report", *known("pytorch"))
    done = joulemark(home, "run", *SELECTION, *options, variables=variables)
    assert done.returncode == 0, done.stderr
    assert joulemark(home, "baseline", "save", "good").returncode == 0
    return repository


def test_git_finds_the_commit_and_skips_what_cannot_be_imported(repository: Path) -> None:
    git(repository, "bisect", "start", commit(repository, "bad"), commit(repository, "good"))
    said = git(repository, "bisect", "run", *COMMAND, *STEP, PYTHONPATH=str(repository))
    log = git(repository, "bisect", "log")
    git(repository, "bisect", "reset")
    assert f"{commit(repository, 'slow')} is the first bad commit" in said, said
    assert "# skip: [" in log
    assert [line.rpartition(" ")[2] for line in log.splitlines() if line.startswith("# skip")] == ["broken"], log
    assert "git bisect: this commit cannot be decided, and is skipped." in said
    assert "git bisect: this commit is bad. At most 0.0033 of such decisions are wrong, 0.01 of all 3 together." in said
    assert len(list((repository.parent / "runs").glob("*.json"))) == 1, "where the drift of the machine is read from"


def test_a_step_in_doubt_is_measured_longer_and_then_skipped(repository: Path) -> None:
    """Equal speeds are neither certainly different nor certainly equal to a millionth."""
    in_doubt = ("--threshold", "throughput:0.0001%", "--threshold", "work:off", "--max-rounds", "4")
    variables = {"PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"}
    done = joulemark(repository.parent, *KEPT, *in_doubt, "--out", "doubt", "--json", variables=variables)
    assert done.returncode == SKIP, done.stderr
    assert "git bisect: this commit cannot be decided, and is skipped." in done.stderr
    (path,) = (repository.parent / "doubt").glob("*.json")
    run = json.loads(path.read_text())
    assert (run["run"]["rounds"], run["run"]["max_rounds"], len(run["cases"][0]["trials"])) == (2, 4, 4)
    assert json.loads(done.stdout)["confidence"] == pytest.approx(1 - 0.02 / 3)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--baseline", "better"), STOP, "no baseline 'better'"),
        (("--baseline", "good", "--thershold", "throughput:5%"), STOP, "--thershold"),
        (("--baseline", "good", "--workload", "cnn"), STOP, "--workload is for measuring with --baseline-python"),
        (("--baseline", "good", "--advisory"), STOP, "leave out --advisory"),
        (("--baseline", "good", "latest"), STOP, "leave out the run 'latest'"),
        (("--baseline", "history"), STOP, "needs one run of the good commit"),
        (("--baseline", "good", "--max-rounds", "3"), STOP, "not a multiple of 2"),
        (("--baseline-python", "/nowhere/python"), STOP, "cannot run /nowhere/python"),
    ],
)
def test_bad_usage_stops_git_and_blames_no_commit(repository: Path, arguments, code, said) -> None:
    variables = {"PYTHONPATH": str(repository)}
    done = joulemark(repository.parent, "check", "--bisect", "3", *arguments, variables=variables)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_package_that_cannot_be_imported_is_skipped(repository: Path) -> None:
    variables = {"PYTHONPATH": str(repository)}
    spec = repository / "measured" / "spec.py"
    spec.write_text("import no_such_module\n")
    done = joulemark(repository.parent, *STEP, variables=variables)
    spec.write_text(SPEC)
    assert done.returncode == SKIP
    assert "measured provides no usable workloads" in done.stderr
