"""Standard streams that are closed, as cron lines and daemons leave them: exit codes are those with open ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from command import FAST, environment
from environments import known, stand_in
from run_files import run_file

import joulemark
from joulemark.suite.records import write
from joulemark.suite.results.run_files import read
from joulemark.suite.results.summary import recompute

pytestmark = pytest.mark.slow

CLOSINGS = (">&-", "2>&-", "<&-", "<&- >&- 2>&-")
SENSOR = "simulated:rapl/constant"
MATMUL = "--size tiny --workload matmul --phase inference --framework pytorch --mode eager --device cpu"
CODES = {
    "--version": 0,
    "show latest": 0,
    "check --baseline missing 20261102": 3,
}
"""Exit codes of commands that are run with each of them. Their tests have them open."""
CODES_OF_ALL_CLOSED = CODES | {
    "--help": 0,
    "list": 0,
    "list --runs --json": 0,
    "show no-such-run": 2,
    "compare 20261101 20261102": 0,
    "check --baseline 20261101 20261102": 4,
    "baseline list": 0,
    "history": 0,
    "intensity CH": 0,
    "when CH --duration 2h": 2,
    "estimate --hours 1 --cores 4 --watts-per-core 9": 0,
    "schema": 0,
    "calibrate latest": 3,
    f"run {MATMUL} --python pytorch=./python --dry-run": 0,
}
"""Those of commands that are run with all streams closed."""
OUTPUTS = ("export 20261101 --format csv -o run.csv", "report 20261101 -o page.html")

FORKS = """
import json, os, sys
from joulemark.suite.cli.app import main
codes = []
for arguments in json.loads(sys.argv[1]):
    if (child := os.fork()) == 0:
        sys.argv = ["joulemark", *arguments]
        main()
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
with open("codes.json", "w") as file:
    json.dump(codes, file)
"""
"""Each command in a process of its own, which has imported what all of them do."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two kept runs."""
    home = tmp_path_factory.mktemp("home")
    stand_in(home)
    (home / "joulemark.toml").write_text(FAST)
    for day in (1, 2):
        run = run_file(id=f"2026110{day}T120000Z-a1b2")
        write(recompute(run, run.emissions), home / "runs" / f"{run.run.id}.json")
    return home


def exit_codes(home: Path, redirections: str, *commands: Sequence[str]) -> list[int]:
    """Run the commands from a shell with these redirections, and return their exit codes."""
    subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-P", "-c", FORKS, json.dumps(commands)],
        env=environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=300,
        check=True,
    )
    return list(json.loads((home / "codes.json").read_text()))


@pytest.mark.parametrize("closing", CLOSINGS)
def test_exit_codes(home: Path, closing: str) -> None:
    expected = CODES_OF_ALL_CLOSED if closing == CLOSINGS[-1] else CODES
    codes = exit_codes(home, closing, *(command.split() for command in expected))
    assert dict(zip(expected, codes, strict=True)) == expected


def write_outputs(home: Path, redirections: str) -> tuple[bytes, int]:
    """Return the content of a CSV file, and the size of a page, that commands with these redirections write."""
    assert exit_codes(home, redirections, *(command.split() for command in OUTPUTS)) == [0, 0]
    csv, page = (home / command.split()[-1] for command in OUTPUTS)
    written = csv.read_bytes(), page.stat().st_size
    csv.unlink()
    page.unlink()
    return written


@pytest.fixture(scope="module")
def outputs(home: Path) -> tuple[bytes, int]:
    """What they are with open streams."""
    return write_outputs(home, "")


@pytest.mark.parametrize("closing", CLOSINGS)
def test_outputs_hold_nothing_else(home: Path, closing: str, outputs: tuple[bytes, int]) -> None:
    """The first file that a process opens gets the descriptor of a closed stream, and all that is printed there."""
    assert write_outputs(home, closing) == outputs


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_measured_command_keeps_its_exit_code(home: Path, closing: str, tmp_path: Path) -> None:
    """The command prints on both streams, which must land in no file of ours."""
    script = "echo 'out'; echo 'err' >&2; cat; exit 7"
    options = ("--no-report", "--sensor", SENSOR, "--out", str(tmp_path))
    assert exit_codes(home, closing, ["measure", *options, "--", "sh", "-c", script]) == [7]
    (path,) = tmp_path.iterdir()
    (trial,) = read(path).cases[0].trials
    assert trial.energy[0].energy_j > 0


def test_a_run_measures(home: Path, tmp_path: Path) -> None:
    options = f"--profile fast --rounds 1 --threads 1 --sensor {SENSOR} --no-report --out {tmp_path}"
    command = [*f"run {MATMUL} {options}".split(), *known("pytorch")]
    assert exit_codes(home, "<&- >&- 2>&-", command) == [0]
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
        timeout=300,
        check=True,
        capture_output=True,
    )
    value, open_streams = (tmp_path / "saved.json.txt").read_text().split(maxsplit=1)
    assert float(value) > 0
    closed = {0: "<&-" in closing, 1: ">&-" in closing.replace("2>&-", ""), 2: "2>&-" in closing}
    assert open_streams.strip() == str([descriptor for descriptor, is_closed in closed.items() if not is_closed])
    assert len(joulemark.read(path).cases[0].trials) == 1
