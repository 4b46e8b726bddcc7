"""Completion in bash, zsh and fish: what the shells' scripts ask for, and the scripts in the shells themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import COMMAND, environment, joulemark
from run_files import run_file

from joulemark.suite.cli.app import VERBS
from joulemark.suite.cli.completion import verb_of
from joulemark.suite.records import write
from joulemark.workloads.registry import workloads

pytestmark = pytest.mark.slow

RUNS = ("20261101T120000Z-a1b2", "20261102T120000Z-c3d4")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with two runs, one of them a baseline, a profile, and `joulemark` as a program in `bin`."""
    home = tmp_path_factory.mktemp("home")
    for run in RUNS:
        write(run_file(id=run), home / "runs" / f"{run}.json")
    write(run_file(id=RUNS[0]), home / "baselines" / "main.json")
    (home / "joulemark.toml").write_text('[profiles.nightly]\nbase = "ci"\n')
    program = home / "bin" / "joulemark"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -P\n{COMMAND[-1].replace('; ', chr(10))}\n")
    program.chmod(0o755)
    return home


def offered(home: Path, line: str) -> list[str]:
    """Return what bash is given for `line`, whose last word is incomplete."""
    words = line.split(" ")
    variables = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = joulemark(home, variables={**variables, "_JOULEMARK_COMPLETE": "complete_bash"})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def in_shell(home: Path, *command: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    variables = environment(home, HOME=str(home), PATH=f"{home / 'bin'}:/usr/bin:/bin")
    done = subprocess.run(
        command,
        env=variables,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("joulemark ", list(VERBS)),
        ("joulemark ca", ["calibrate"]),
        ("joulemark baseline r", ["remove"]),
        ("joulemark run --workload activation.g", ["activation.gelu"]),
        ("joulemark run --workload cnn --workload pc", ["pca"]),
        ("joulemark run --workload ", list(workloads())),
        ("joulemark run --profile ", ["quick", "standard", "full", "ci", "nightly"]),
        ("joulemark check --profile n", ["nightly"]),
        ("joulemark run --zone CH", ["CH"]),
        ("joulemark when D", ["DE", "DJ", "DK", "DM", "DO", "DZ"]),
        ("joulemark run --precision b", ["bf16"]),
        ("joulemark run --mode g", ["graph"]),
        ("joulemark run --strategy m", ["mirrored", "multiworker"]),
        ("joulemark run --track w", ["wandb"]),
        ("joulemark show ", ["latest", *reversed(RUNS)]),
        ("joulemark compare latest 20261101", [RUNS[0]]),
        ("joulemark check --baseline m", ["main"]),
        ("joulemark check --baseline h", ["history"]),
        ("joulemark baseline remove ", ["main"]),
        ("joulemark export latest --format j", ["junit"]),
        ("joulemark schema x", []),
    ],
)
def test_values(home: Path, line: str, values: list[str]) -> None:
    assert sorted(offered(home, line)) == sorted(values)


@pytest.mark.parametrize("verb", ["run", "check"])
def test_every_option_of_the_help_is_offered(home: Path, verb: str) -> None:
    shown = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", joulemark(home, verb, "--help").stdout))
    assert len(shown) > 20
    assert shown - set(offered(home, f"joulemark {verb} --")) == set()


@pytest.mark.parametrize(
    ("variables", "verb"),
    [
        ({"COMP_WORDS": "joulemark\nrun\n--zo", "COMP_CWORD": "2"}, "run"),
        ({"COMP_WORDS": "joulemark\nrun\n", "COMP_CWORD": "2"}, "run"),
        ({"COMP_WORDS": "joulemark\nrun\n--zone\nCH", "COMP_CWORD": "1"}, None),
        ({"COMP_WORDS": "joulemark\nrun", "COMP_CWORD": "1"}, None),
        ({"_TYPER_COMPLETE_ARGS": "joulemark run"}, None),
        ({"_TYPER_COMPLETE_ARGS": "joulemark  run "}, "run"),
        ({"_TYPER_COMPLETE_ARGS": "joulemark nonsense "}, None),
        ({}, None),
    ],
)
def test_the_verb_is_read_once_it_is_complete(variables: dict[str, str], verb: str | None) -> None:
    assert verb_of(variables, VERBS) == verb


def test_an_error_is_not_written_into_the_line_that_is_typed(home: Path) -> None:
    settings = home / "joulemark.toml"
    kept = settings.read_text()
    settings.write_text("not toml")
    variables = {"COMP_WORDS": "joulemark run --profile ", "COMP_CWORD": "3", "_JOULEMARK_COMPLETE": "complete_bash"}
    done = joulemark(home, variables=variables)
    settings.write_text(kept)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_no_framework_is_imported_at_the_tab_key(home: Path) -> None:
    variables = environment(home, COMP_WORDS="joulemark run --workload ", COMP_CWORD="3")
    variables["_JOULEMARK_COMPLETE"] = "complete_bash"
    command = [sys.executable, "-X", "importtime", *COMMAND[1:]]
    done = subprocess.run(command, env=variables, cwd=home, capture_output=True, text=True, timeout=300, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert imported & {"torch", "tensorflow", "jax", "keras", "scipy", "pandas", "plotly", "codecarbon"} == set()


def test_bash_completes(home: Path) -> None:
    script = """
        source <(_JOULEMARK_COMPLETE=source_bash joulemark)
        complete -p joulemark
        COMP_WORDS=(joulemark run --workload activation.); COMP_CWORD=3
        _joulemark_completion joulemark
        echo "${COMPREPLY[*]}"
        """
    registered, completed = in_shell(home, "bash", "--norc", "-c", script).splitlines()
    assert registered == "complete -o default -F _joulemark_completion joulemark"
    assert completed.split() == [name for name in workloads() if name.startswith("activation.")]


def test_zsh_completes(home: Path) -> None:
    script = """
        autoload -U compinit && compinit -u -D
        _arguments() { print -r -- "$@" }
        eval "$(_JOULEMARK_COMPLETE=source_zsh joulemark)"
        print -r -- "$_comps[joulemark]"
        words=(joulemark cali) CURRENT=2
        _joulemark_completion
        """
    registered, completed = in_shell(home, "zsh", "-f", "-c", script).split("\n", 1)
    assert registered == "_joulemark_completion"
    assert re.match(r"\*: :\(\(\"?calibrate\"?:", completed), completed


def test_fish_completes(home: Path) -> None:
    script = "_JOULEMARK_COMPLETE=source_fish joulemark | source; complete --do-complete 'joulemark run --zone CH'"
    assert in_shell(home, "fish", "--no-config", "-c", script) == "CH\tSwitzerland\n"


def test_it_is_installed_for_the_shell_that_asks(home: Path) -> None:
    in_shell(home, "bash", "--norc", "-c", "joulemark --install-completion; exit $?")
    script = "source ~/.bashrc; complete -p joulemark; joulemark --show-completion | head -1"
    registered, shown = in_shell(home, "bash", "--norc", "-c", script).splitlines()
    assert registered.endswith("_joulemark_completion joulemark")
    assert shown == "_joulemark_completion() {"
