"""The README's table is what the specs say, and its commands are what the rest of the repository calls.

`python tests/docs/test_readme.py --write` puts the table in.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from command import joulemark
from places import ROOT

from joulemark.suite.cli.app import VERBS
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.workloads.registry import supports, workloads

README = ROOT / "README.md"
BEGIN, END = "<!-- workloads: written by tests/docs/test_readme.py --write -->\n", "<!-- end of workloads -->"


def table() -> str:
    """The table of workloads as Markdown."""
    rows = ["| workload | what | item | phases | parameters (base) |", "|---|---|---|---|---:|"]
    for workload in workloads().values():
        count = workload.parameters(workload.sizes[workload.reference_size]).total
        items = ", ".join(dict.fromkeys(workload.counts(phase) for phase in workload.phases))
        assert all(supports(workload, name) for name in FRAMEWORKS)
        rows.append(
            f"| `{workload.id}` | {workload.title} | {items} | {', '.join(workload.phases)} | "
            f"{f'{count:,}' if count else '-'} |"
        )
    return "\n".join(rows) + "\n"


def parts() -> tuple[str, str, str]:
    before, _, rest = README.read_text().partition(BEGIN)
    inside, _, after = rest.partition(END)
    return before, inside, after


def blocks() -> list[str]:
    """The README's shell commands."""
    return re.findall(r"```sh\n(.*?)```", README.read_text(), re.S)


def test_the_table_of_workloads_is_current():
    assert parts()[1] == table(), "run: python tests/docs/test_readme.py --write"


def test_each_setup_line_makes_its_own_environment():
    for line in blocks():
        environment = re.search(r"python3 -m venv (\S+) && ", line).group(1)
        commands = line.strip().split(" && ")[1:]
        assert all(command.startswith(f"{environment}/bin/") for command in commands)


def test_ci_calls_the_test_line_and_nothing_else():
    script = (ROOT / ".ci" / "run").read_text()
    # The script with `eval` replaced by nothing prints the line that it would run.
    done = subprocess.run(
        ["bash", "-c", script.replace('eval "$line"', "").replace("$0", str(ROOT / ".ci" / "run"))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"+ {blocks()[1].strip()}"


@pytest.mark.slow
def test_options_and_verbs_that_the_readme_names_exist(tmp_path):
    text = README.read_text()
    known = {verb: joulemark(tmp_path, verb, "--help").stdout for verb in VERBS}
    fenced = re.findall(r"```console\n(.*?)```", text, re.S)
    quoted = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    commands = [part for block in fenced for line in block.splitlines() for part in line.partition("#")[0].split("&&")]
    checked = 0
    for command in (*commands, *quoted):
        words = command.split()
        verb = words[1] if words[0] == "joulemark" and len(words) > 1 else None
        assert verb is None or verb in VERBS, command
        if verb or words[0].startswith("--"):
            help_text = known[verb] if verb else "".join(known.values())
            for option in (word for word in words if word.startswith("--") and word != "--"):
                assert option.partition("=")[0] in help_text, command
                checked += 1
    assert checked > 10


def test_files_that_the_readme_names_exist():
    for name in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("name", ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE"])
def test_a_repository_has_its_papers(name):
    assert len((ROOT / name).read_text()) > 100


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    before, _, after = parts()
    README.write_text(before + BEGIN + table() + END + after)
