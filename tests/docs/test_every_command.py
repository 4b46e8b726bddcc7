"""Every command in the docs: its options are parsed by the real parser, and what is quick is run on kept runs.

`run`, `sweep` and `list` are planned as well (test_commands.py), and tutorials run from the first to the last line.
"""

from __future__ import annotations

import configparser
import contextlib
import gzip
import importlib.util
import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from command import joulemark
from documented import Documented, commands, quoted, shell_lines
from job_files import node_file
from kept_runs import case_at, keep_run
from places import DOCS, ROOT
from run_files import machine, run_file, work

from joulemark.suite.cli.app import VERBS, build
from joulemark.suite.records import write

RUN_HERE = {"list", "show", "report", "compare", "check", "history", "export", "estimate", "references"}
RUN_HERE |= {"job", "schema"}
"""Verbs that answer from kept runs, or from nothing; `baseline save` is how these are made."""
NOT_HERE = {
    "--images": "starts a browser for each figure: tests/reports",
    "--baseline-python": "measures: tests/docs/test_workflows.py",
    "--bisect": "measures: tests/suite/cli/verbs/test_check_bisect.py",
    "--cases": "imports the frameworks: planned in test_commands.py",
    "docs/results/standard-2-cores.json": "takes seconds, as a page of another run",
}
EXIT_CODES = {"check": {0, 1, 4}}
"""Others than 0 that are an answer: a regression, and what is not conclusive."""
RUN_OF = {"--by arm": "ab.json", "--against": "docs/results/quick-3-frameworks-2-cores.json"}
"""Which run is `latest`, where a command needs one of a certain kind."""

OTHER_PROGRAMS = {
    *("python", "python3", "pip", "pytest", "tox", "git", "apt", "cd", "source", ".", "export", "mkdir", "cp", "echo"),
    *("docker", "srun", "mpirun", "torchrun", "accelerate", "nvidia-smi", "sudo", "unset", "pre-commit"),
}
"""Programs that a block to copy may start, beside joulemark. Options of the first line are checked below."""

ALL = commands()
each_command = pytest.mark.parametrize("command", ALL, ids=lambda command: command.text[:70])


def context(command: Documented, words: list[str]) -> Any:
    """Return what Typer makes of a command, without running it."""
    group = typer.main.get_command(build(command.verb))
    verb, rest = group.commands[words[0]], words[1:]  # type: ignore[attr-defined]
    made = verb.make_context(words[0], list(rest))
    if hasattr(verb, "commands"):
        return verb.commands[rest[0]].make_context(rest[0], list(rest[1:]), parent=made)  # type: ignore[attr-defined]
    return made


def options_of(verb: str) -> set[str]:
    found = typer.main.get_command(build(verb)).commands[verb]  # type: ignore[attr-defined]
    return {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}


@each_command
def test_it_is_parsed(command: Documented) -> None:
    assert command.verb in VERBS, command.place
    if command.is_mention:
        assert set(command.text.split()[1:]) <= options_of(command.verb), command.place
        return
    try:
        context(command, command.words)
    except Exception as error:  # noqa: BLE001  Typer's own, of which none is public
        pytest.fail(f"{command.place}: joulemark {command.text}: {error}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands name, which is also where runs are kept."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("runs", "job", "docs/results"):
        (folder / name).mkdir(parents=True)
    counted = case_at()
    trials = [trial.model_copy(update={"work": work(operators=100)}) for trial in counted.trials]
    cases = (
        counted.model_copy(update={"trials": tuple(trials)}),
        case_at(1.1, framework="tensorflow", mode="graph"),
        case_at(workload="gpt2", phase="generation", item="token"),
        case_at(workload="resnet50", phase="inference"),
    )
    keep_run(folder, 1, *cases)
    assert joulemark(folder, "baseline", "save", "main").returncode == 0
    keep_run(folder, 29, *cases)
    assert joulemark(folder, "check", "--baseline", "main").returncode in EXIT_CODES["check"]  # for `history --gate`
    keep_run(folder, 30, *cases)
    for name, host in (("here", "bench-1"), ("there", "bench-2")):
        made = run_file(
            list(cases), id=f"20261115T120000Z-{len(name):04}", machine=machine(hostname=host, fingerprint=host)
        )
        write(made, folder / f"{name}.json")
    for number in range(2):
        write(node_file(number), folder / "job" / f"fit.node{number}.json")
    write(node_file(0, count=1), folder / "train.json")
    for name in ("quick-2-cores", "quick-3-frameworks-2-cores"):
        shutil.copy(DOCS / "results" / f"{name}.json", folder / "docs" / "results")
    kept = (ROOT / "tests" / "data" / "journals" / "ab" / "run.json.gz").read_bytes()
    (folder / "ab.json").write_bytes(gzip.decompress(kept))
    return folder


def form(command: Documented) -> str:
    """Return what tells a page's command from another's: not the values of its options, which are parsed for all."""
    options = " ".join(word for word in command.words if word.startswith("-"))
    return f"report {options}" if command.verb == "report" else command.text


def is_run_here(command: Documented) -> bool:
    return command.verb in RUN_HERE and not command.is_mention and not any(part in command.text for part in NOT_HERE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", {form(each): each for each in ALL if is_run_here(each)}.values(), ids=lambda command: command.text[:70]
)
def test_it_runs(command: Documented, home: Path) -> None:
    run = next((run for part, run in RUN_OF.items() if part in command.text), "latest")
    files = {"latest": run, "job/train.json": "train.json"}
    done = joulemark(home, *(files.get(word, word) for word in command.words))
    assert done.returncode in EXIT_CODES.get(command.verb, {0}), f"{command.place}: {done.stderr}"
    assert done.stdout.strip() or "Wrote" in done.stderr


def test_each_line_to_copy_starts_a_program_that_is_checked() -> None:
    for place, language, line in shell_lines():
        if language not in ("sh", "console", "bash"):
            continue  # an output, perhaps
        words = shlex.split(line, comments=True)
        program = next((word for word in words if not re.fullmatch(r"[A-Z_]+=.*", word)), "").rpartition("/")[2]
        assert program in {"joulemark", *OTHER_PROGRAMS}, f"{place}: {line}"


def other_commands() -> list[tuple[str, list[str]]]:
    lines = [(place, line) for place, _, line in shell_lines()]
    lines += [
        (place, text) for place, text in quoted() if re.match(r"(python3? -m|pip install|pytest -|tox -e) ?\S", text)
    ]
    made = []
    for place, line in lines:
        with contextlib.suppress(ValueError):  # an output, with one quotation mark
            words = shlex.split(line, comments=True)
            if words:
                made.append((place, [words[0].rpartition("/")[2], *words[1:]]))
    return made


def test_modules_extras_environments_and_options_exist(pytestconfig: pytest.Config) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini")
    known = (
        " ".join(section.removeprefix("testenv:") for section in tox.sections())
        + " only-pytorch only-tensorflow only-jax"
    )
    checked = set()
    for place, (program, *words) in other_commands():
        line = f"{place}: {program} {' '.join(words)}"
        if (
            program.startswith("python")
            and words[:1] == ["-m"]
            and words[1].startswith(("joulemark.", "studies.", "benchmarks."))
        ):
            assert words[1].endswith(".NAME") or importlib.util.find_spec(words[1]), line
        elif program == "pip":
            named = re.findall(r"(?:joulemark|\.)\[([\w,-]+)\]", " ".join(words))
            assert {extra for names in named for extra in names.split(",")} <= set(extras), line
        elif program == "tox" and words[:1] == ["-e"]:
            assert set(words[1].split(",")) <= set(known.split()), line
        elif program == "pytest":
            for option in (word.partition("=")[0] for word in words if word.startswith("--joulemark")):
                pytestconfig.getoption(option)  # ValueError where there is none
        else:
            continue
        checked.add(program)
    assert checked == {"python", "pip", "tox", "pytest"}


def test_an_option_that_is_not_there_is_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        context(Documented("x.md", "report RUN --grid CH", True), ["report", "latest", "--grid", "CH"])
