"""Commands of README and docs that select cases: each selects some that can be measured."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from places import DOCS, ROOT
from plans import INSTALLED

from joulemark.suite.cli.app import build
from joulemark.suite.cli.arguments import resolve_settings, settings_from_context
from joulemark.suite.errors import UsageError
from joulemark.suite.plan.cases import make_plan
from joulemark.suite.plan.plan import Plan
from joulemark.suite.plan.sweep import make_sweep_plan
from joulemark.suite.plan.sweep_ranges import parse_over

GPUS = tuple(f"cuda:{number}" for number in range(8))
MACHINE = {name: info.model_copy(update={"devices": ("cpu", *GPUS)}) for name, info in INSTALLED.items()}
MEMORY_BYTES = {"cpu": 2**40, **dict.fromkeys(GPUS, 141 * 10**9)}
"""Eight GPUs of the largest memory that the docs speak of."""
OWN = "two_layers"
"""The workload of docs/own-workload.md, whose test runs its commands."""
VERB = re.compile(r"(?:^|\s|/)joulemark (run|sweep|list)(?=\s|$)(.*)")


def commands(path: Path) -> list[tuple[str, str]]:
    """Return verb and arguments of the commands in the fenced blocks of a page, and of those in its text that name a
    workload; not of templates such as `--ranks N`."""
    text = path.read_text().replace("\\\n", " ")
    fenced = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.S) for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    parts = [part for line in fenced for part in line.partition(" #")[0].split("&&")]
    parts += [command for command in inline if "--workload" in command]
    found = [match.groups() for part in parts if (match := VERB.search(part.strip()))]
    return [(verb, given) for verb, given in found if not re.search(r"\b[A-Z]{1,9}\b|\.\.\.", given)]


def planned(verb: str, arguments: list[str]) -> Plan:
    """Return the plan of a command on a machine with eight GPUs."""
    group: Any = typer.main.get_command(build(verb))
    context = group.commands[verb].make_context(verb, arguments)
    given = settings_from_context(context, context.params)
    if verb == "sweep":
        given["over"] = parse_over(given["over"])
    settings, machine = resolve_settings(given, False), (MACHINE, 1, 8, True, MEMORY_BYTES)
    return make_sweep_plan(settings, *machine, 700) if verb == "sweep" else make_plan(settings, *machine)


ALL = [(path, *command) for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md"))) for command in commands(path)]


def test_commands_are_found() -> None:
    assert {verb for _, verb, _ in ALL} >= {"run", "sweep", "list"}
    assert len([path for path, verb, _ in ALL if (path.name, verb) == ("sweep.md", "sweep")]) == 3


@pytest.mark.slow
def test_each_command_selects_cases_that_can_be_measured(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)  # without a settings file
    failed = []
    for path, verb, given in ALL:
        if OWN in given:
            continue
        try:
            if not planned(verb, shlex.split(given)).runnable():
                failed.append(f"{path.name}: joulemark {verb}{given}: no case can be measured")
        except Exception as error:  # noqa: BLE001  all of them are wanted
            failed.append(f"{path.name}: joulemark {verb}{given}: {error}")
    assert not failed, "\n".join(failed)


def test_a_phase_that_a_workload_lacks_is_found() -> None:
    with pytest.raises(UsageError, match="nothing is selected"):
        planned("run", shlex.split("--workload gpt2 --phase inference"))
