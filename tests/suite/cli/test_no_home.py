"""A user without HOME and without an entry in /etc/passwd, as `docker run --user 54321` and clusters have them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from another_user import AS_USER, USER
from command import COMMAND, FAST
from environments import known, none_of
from forked_command import CommandServer
from run_files import run_file

from joulemark.suite.records import write
from joulemark.suite.results.run_files import read
from joulemark.suite.results.summary import recompute

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user"),
]

REASON = f"HOME is not set, and user {USER} is not in /etc/passwd"
MATMUL = "--size tiny --workload matmul --framework pytorch --device cpu --rounds 1 --threads 1 --no-report"
DOCTOR = " ".join(("doctor", *none_of()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that the user may write, with two runs."""
    tmp_path.chmod(0o777)
    (tmp_path / "tmp").mkdir(mode=0o777)
    (tmp_path / "tmp").chmod(0o777)
    for day in (1, 2):
        run = run_file(id=f"2026110{day}T120000Z-a1b2")
        write(recompute(run, run.emissions), tmp_path / f"{day}.json")
    return tmp_path


def variables(folder: Path) -> dict[str, str]:
    """Return the environment of the user's processes."""
    return {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder / "tmp"),
        "JOULEMARK_LOCK": str(folder / "tmp" / "lock"),
        "COLUMNS": "200",
    }


def run_as_user(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AS_USER, *command],
        env={**variables(folder), **more},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


Verb = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    """A process of the user, of which verbs are forks."""
    server = CommandServer(variables(tmp_path_factory.mktemp("none")), AS_USER)
    yield server
    server.close()


@pytest.fixture
def verb(server: CommandServer, folder: Path) -> Verb:
    """A function that runs a verb as the user."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {**variables(folder), **more}
        assert server.suits(environment)
        return server.run(arguments, environment, folder)

    return run


def test_the_user_has_no_home(folder: Path) -> None:
    done = run_as_user(folder, sys.executable, "-P", "-c", "import os; print(os.path.expanduser('~'), os.getuid())")
    assert done.stdout.split() == ["~", str(USER)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("list", 0),
        ("list --runs", 0),
        ("show 1.json", 0),
        ("report 1.json 2.json -o page.html", 0),
        ("export 1.json --format csv -o run.csv", 0),
        ("compare 1.json 2.json", 0),
        ("check --baseline 1.json 2.json", 4),
        ("check --baseline history 2.json", 3),
        ("check --baseline kept 2.json", 3),
        ("calibrate 1.json", 3),
        ("baseline list", 0),
        ("history --from .", 0),
        ("intensity CH", 0),
        ("when CH --duration 2h", 2),
        ("estimate --hours 1 --cores 4 --watts-per-core 9 --zone CH", 0),
        ("schema", 0),
        (DOCTOR, 0),
        ("measure --sensor simulated:rapl/constant --no-report --out kept -- true", 0),
    ],
)
def test_each_verb_works(verb: Verb, arguments: str, code: int) -> None:
    done = verb(*arguments.split())
    assert "a bug" not in done.stderr
    assert done.returncode == code or (arguments, done.returncode) == (DOCTOR, 4), done.stderr


@pytest.mark.parametrize(
    "arguments", [f"run {MATMUL}", "measure -- true", "baseline save main 1.json", "history", "show latest"]
)
def test_what_needs_a_home_says_so_in_one_line(verb: Verb, arguments: str) -> None:
    done = verb(*arguments.split())
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert REASON in line
    assert "JOULEMARK_HOME" in line


@pytest.mark.parametrize("home", ["/", "/nonexistent"])
def test_a_home_that_cannot_be_written_is_one_line(folder: Path, home: str) -> None:
    """Docker sets HOME to / for such a user; Debian gives /nonexistent to some."""
    done = run_as_user(folder, *COMMAND, "measure", "--", "true", HOME=home)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, "a bug" in line) == (2, False)
    assert "--out" in line
    done = run_as_user(folder, *COMMAND, "export", "1.json", "--format", "csv", HOME=home)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("home", ["~", "~/runs", "~nobody-of-that-name"])
def test_a_tilde_that_means_nothing_is_one_line(folder: Path, verb: Verb, home: str) -> None:
    done = verb("measure", "--", "true", JOULEMARK_HOME=home)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert f"{home}: that user has no home directory" in line
    assert sorted(path.name for path in folder.iterdir()) == ["1.json", "2.json", "tmp"]


METER = """
import joulemark
with joulemark.Meter(zone="CH") as meter:
    sum(range(5_000_000))
print(meter.energy.value, meter.emissions.value)
meter.save("saved.json")
"""


def test_a_meter_measures(folder: Path) -> None:
    done = run_as_user(folder, sys.executable, "-P", "-c", METER)
    energy_j, emissions_g = map(float, done.stdout.split())
    assert energy_j > 0
    assert emissions_g > 0
    assert done.stderr == ""
    assert len(read(folder / "saved.json").cases[0].trials) == 1


def test_a_run_and_codecarbon_work(folder: Path) -> None:
    """codecarbon is the only sensor that looks for a home."""
    (folder / "joulemark.toml").write_text(FAST)
    options = ("--profile", "fast", "--second-opinion", "--out", "kept", *known("pytorch"))
    done = run_as_user(folder, *COMMAND, "run", *MATMUL.split(), *options)
    assert done.returncode == 0, done.stderr
    (path,) = (folder / "kept").glob("*.json")
    opinion = read(path).second_opinion
    assert opinion is not None
    assert opinion.reason is None
    assert opinion.energy_j["cpu"] or opinion.energy_j["ram"]


@pytest.mark.parametrize("command", [["measure", "--", "true"], ["doctor"]])
def test_nowhere_to_write_temporary_files_is_one_line(folder: Path, command: list[str]) -> None:
    """A container whose root is read-only."""
    script = 'mount --bind / / && mount -o remount,ro,bind / || exit 77; cd /; exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *AS_USER, *COMMAND, *command],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("nothing can be mounted here")
    assert done.returncode in (0, 2, 4)
    assert "a bug" not in done.stderr
