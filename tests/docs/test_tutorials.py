"""docs/tutorials: each walk, from the first command to the last, with settings that take seconds.

What follows a command on a kept run must be what it prints. Other outputs are from the runs that the page names.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command import environment
from documented import FENCE
from environments import environment_like_this, known
from places import DOCS

pytestmark = pytest.mark.slow

FOLDER = DOCS / "tutorials"
TUTORIALS = {"new-hardware": "pytorch", "ci-gate": "pytorch", "report": "", "compare-frameworks": "pytorch tensorflow"}
"""Each page, and the frameworks that its runs take here."""

SETTINGS = """
framework = {frameworks}
rounds = 2
threads = 1

[python]
{interpreters}
"""
PROFILE = """
[profiles.{name}]
base = "{name}"
workloads = ["matmul"]
size = "tiny"
window_s = 0.3
idle_s = 0.5
server_rounds = 9
"""

INSTALLATION = re.compile(r"python3 -m venv |\S*pip install |git clone |cd |\. \.venv")
EXIT_CODES = {"doctor": {0, 4}, "check": {0, 1, 4}, "calibrate": {0}}
"""Without a sensor, and of two rounds on a busy machine: any answer but a mistake."""


def steps(name: str) -> list[tuple[str, list[str]]]:
    """Return the commands of a page in their order, each with the lines of output that follow its block."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    found: list[tuple[str, list[str]]] = []
    for _, language, body in FENCE.findall(text):
        if language == "sh":
            lines = body.replace("\\\n", " ").splitlines()
            found += [(line, []) for line in lines if line.strip() and not INSTALLATION.match(line)]
        elif language == "text":
            found[-1][1].extend(line for line in body.splitlines() if line.strip() not in ("", "..."))
    return found


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages use of a clone, and joulemark installed in `.venv`."""
    folder = tmp_path_factory.mktemp("clone")
    python = environment_like_this(folder / ".venv")
    command = Path(python).with_name("joulemark")
    command.write_text(f"#!{python} -P\nfrom joulemark.suite.cli.app import main\nmain()\n")
    command.chmod(0o755)
    shutil.copytree(DOCS / "workflows", folder / "docs" / "workflows")
    (folder / "docs" / "results").mkdir()
    shutil.copy(DOCS / "results" / "quick-3-frameworks-2-cores.json", folder / "docs" / "results")
    return folder


def settings(frameworks: list[str]) -> str:
    options = known(*frameworks)[1::2] if frameworks else ()
    interpreters = "\n".join(f'{name} = "{path}"' for name, _, path in (option.partition("=") for option in options))
    text = SETTINGS.format(frameworks=str(frameworks).replace("'", '"'), interpreters=interpreters)
    return text + "".join(PROFILE.format(name=name) for name in ("quick", "ci"))


@pytest.mark.parametrize("name", TUTORIALS)
def test_each_command_works_in_its_turn(name: str, clone: Path, tmp_path: Path) -> None:
    frameworks = TUTORIALS[name].split()
    (clone / "joulemark.toml").write_text(settings(frameworks) if frameworks else "")
    path = {"PATH": f"{clone / '.venv' / 'bin'}:{environment(tmp_path)['PATH']}"}
    for command, expected in steps(name):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=clone,
            env={**environment(tmp_path), **path},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        verb = re.search(r"\bjoulemark ([a-z]+)", command)
        allowed = EXIT_CODES.get(verb[1] if verb and "echo" not in command else "", {0})
        assert done.returncode in allowed, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, command
        if "docs/results/" in command:
            summary = (clone / "summary.md").read_text(encoding="utf-8") if "-o summary.md" in command else ""
            printed = " ".join((done.stdout + done.stderr + summary).split())
            assert [line for line in expected if " ".join(line.split()) not in printed] == [], command


def test_all_tutorials_are_tried() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(TUTORIALS)
    for name in TUTORIALS:
        assert len(steps(name)) > 3, name
