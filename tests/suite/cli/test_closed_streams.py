"""Standard streams that are closed, as cron lines and daemons leave them: exit codes are those with open ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command import COMMAND, FAST, environment
from environments import stand_in
from run_files import run_file

import joulemark
from joulemark.suite.records import write
from joulemark.suite.results.run_files import read
from joulemark.suite.results.summary import recompute

pytestmark = pytest.mark.slow

CLOSINGS = (">&-", "2>&-", "<&-", "<&- >&- 2>&-")
EACH_ALONE = ("--version", "show latest", "check --baseline missing 20261102")
"""Commands that are run with each of them; the others with all streams closed. Their tests have them open."""
SENSOR = "simulated:rapl/constant"
MATMUL = "--size tiny --workload matmul --phase inference --framework pytorch --mode eager --device cpu"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two kept runs."""
    home = tmp_path_factory.mktemp("home")
    stand_in(home)
    for day in (1, 2):
        run = run_file(id=f"2026110{day}T120000Z-a1b2")
        write(recompute(run, run.emissions), home / "runs" / f"{run.run.id}.json")
    return home


def run_with(home: Path, redirections: str, *arguments: str) -> int:
    """Run `joulemark ARGUMENTS` from a shell with these redirections, and return its exit code."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *COMMAND, *arguments],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--version", 0),
        ("--help", 0),
        ("list", 0),
        ("list --runs --json", 0),
        ("show latest", 0),
        ("show no-such-run", 2),
        ("compare 20261101 20261102", 0),
        ("check --baseline 20261101 20261102", 4),
        ("check --baseline missing 20261102", 3),
        ("baseline list", 0),
        ("history", 0),
        ("intensity CH", 0),
        ("when CH --duration 2h", 2),
        ("estimate --hours 1 --cores 4 --watts-per-core 9", 0),
        ("schema", 0),
        ("calibrate latest", 3),
        (f"run {MATMUL} --python pytorch=./python --dry-run", 0),
    ],
)
def test_exit_code(home: Path, arguments: str, code: int) -> None:
    closings = CLOSINGS if arguments in EACH_ALONE else CLOSINGS[-1:]
    assert {closing: run_with(home, closing, *arguments.split()) for closing in closings} == dict.fromkeys(
        closings, code
    )


def write_outputs(home: Path, redirections: str, folder: Path) -> tuple[bytes, int]:
    """Return the content of a CSV file, and the size of a page, that commands with these redirections write."""
    csv, page = folder / "run.csv", folder / "page.html"
    assert run_with(home, redirections, "export", "20261101", "--format", "csv", "-o", str(csv)) == 0
    assert run_with(home, redirections, "report", "20261101", "-o", str(page)) == 0
    return csv.read_bytes(), page.stat().st_size


@pytest.fixture(scope="module")
def outputs(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int]:
    """What they are with open streams."""
    return write_outputs(home, "", tmp_path_factory.mktemp("open"))


@pytest.mark.parametrize("closing", CLOSINGS)
def test_outputs_hold_nothing_else(home: Path, closing: str, outputs: tuple[bytes, int], tmp_path: Path) -> None:
    """The first file that a process opens gets the descriptor of a closed stream, and all that is printed there."""
    assert write_outputs(home, closing, tmp_path) == outputs


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_measured_command_keeps_its_exit_code(home: Path, closing: str, tmp_path: Path) -> None:
    """The command prints on both streams, which must land in no file of ours."""
    script = "echo 'out'; echo 'err' >&2; cat; exit 7"
    options = ("--no-report", "--sensor", SENSOR, "--out", str(tmp_path))
    assert run_with(home, closing, "measure", *options, "--", "sh", "-c", script) == 7
    (path,) = tmp_path.iterdir()
    (trial,) = read(path).cases[0].trials
    assert trial.energy[0].energy_j > 0


def test_a_run_measures(home: Path, tmp_path: Path) -> None:
    (home / "joulemark.toml").write_text(FAST)
    arguments = f"run {MATMUL} --profile fast --rounds 1 --threads 1 --sensor {SENSOR} --no-report --out {tmp_path}"
    assert run_with(home, "<&- >&- 2>&-", *arguments.split()) == 0
    (path,) = tmp_path.glob("*.json")
    assert [case.status for case in read(path).cases] == ["ok"]


METER = """
import os, sys
import joulemark
path = sys.argv[1]
with joulemark.Meter(sensor="simulated:rapl/constant") as meter:
    for descriptor in range(3):
        try:
            os.write(descriptor, b"anything")    # as a library in C prints
        except OSError:
            pass
    sum(range(3_000_000))
energy = meter.energy
meter.save(path)
open_streams = [descriptor for descriptor in range(3) if os.path.exists(f"/proc/self/fd/{descriptor}")]
with open(path + ".txt", "w") as file:
    print(energy.value, open_streams, file=file)
"""


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_meter_leaves_closed_streams_closed(closing: str, tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    script = f'exec "$@" {closing}'
    subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-P", "-c", METER, path],
        env=environment(tmp_path),
        timeout=120,
        check=True,
        capture_output=True,
    )
    value, open_streams = (tmp_path / "saved.json.txt").read_text().split(maxsplit=1)
    assert float(value) > 0
    closed = {0: "<&-" in closing, 1: ">&-" in closing.replace("2>&-", ""), 2: "2>&-" in closing}
    assert open_streams.strip() == str([descriptor for descriptor, is_closed in closed.items() if not is_closed])
    assert len(joulemark.read(path).cases[0].trials) == 1
