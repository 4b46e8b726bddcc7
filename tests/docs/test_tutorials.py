"""docs/tutorials: each walk, from the first command to the last, with settings that take seconds.

What follows a command on a kept run must be what it prints. Other outputs are from the runs that the page names.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from command import environment, joulemark
from documented import FENCE
from environments import environment_like_this, known, require
from places import DOCS

from joulemark.suite.trial.frameworks import FRAMEWORKS

pytestmark = pytest.mark.slow

FOLDER = DOCS / "tutorials"
TUTORIALS = {"new-hardware": "pytorch", "ci-gate": "pytorch", "report": "", "compare-frameworks": "pytorch jax"}
"""Each page, and the frameworks that its runs take here."""

SETTINGS = """
framework = {frameworks}
{phase}rounds = 2
threads = 1

[python]
{interpreters}
"""
PROFILE = """
[profiles.{name}]
base = "{name}"
workloads = ["matmul"]
size = "{size}"
window_s = 0.3
idle_s = 0.5
server_rounds = 9
"""

SHORTER = {"--workload transformer --phase training": "--workload matmul", " --rounds 5": ""}
"""What a page measures, and what is enough to see that its commands fit together."""

ELSEWHERE = "--baseline-python"
"""Measures two environments, by the commands of docs/workflows: tests/docs/test_workflows.py."""

HAS_AVX = "avx2" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
"""Instructions that the page takes away from PyTorch."""

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


def settings(name: str) -> str:
    """Return the settings file of a walk. No framework is imported to learn about it, which takes seconds."""
    interpreters = "\n".join(
        f'{framework} = "{path}"' for framework, _, path in (option.partition("=") for option in known()[1::2])
    )
    phase = 'phase = ["training"]\n' if name == "ci-gate" else ""
    text = SETTINGS.format(frameworks=json.dumps(TUTORIALS[name].split()), interpreters=interpreters, phase=phase)
    # The reference machine has no smaller case; and with smaller images, SSE's kernels do less work, not more.
    size = "small" if name in ("new-hardware", "ci-gate") else "tiny"
    return text + "".join(PROFILE.format(name=profile, size=size) for profile in ("quick", "ci"))


def execute(command: str, clone: Path) -> subprocess.CompletedProcess[str]:
    """Execute a command in the clone, by a shell where it needs one: a fork of this process starts faster."""
    words = shlex.split(command)
    if words[0] == "joulemark" and not re.search(r"[;>|]", command):
        return joulemark(clone, *words[1:])
    env = environment(clone)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=clone,
        env={**env, "PATH": f"{clone / '.venv' / 'bin'}:{env['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def keep_again(clone: Path) -> None:
    """Keep the latest run under a later id: a run by the same command, which need not be measured twice here."""
    latest = max((clone / "runs").glob("*.json"))
    later = latest.with_name(f"{latest.stem[:-4]}ffff.json")
    later.write_text(latest.read_text(encoding="utf-8").replace(latest.stem, later.stem), encoding="utf-8")


@pytest.mark.parametrize("name", TUTORIALS)
def test_each_command_works_in_its_turn(name: str, clone: Path) -> None:
    frameworks = TUTORIALS[name].split()
    require(*(FRAMEWORKS[framework].module for framework in frameworks))
    (clone / "joulemark.toml").write_text(settings(name) if frameworks else "")
    measured = set()
    for written, expected in steps(name):
        command = re.sub("|".join(SHORTER), lambda match: SHORTER[match[0]], written)
        if ELSEWHERE in command:
            continue
        if command in measured:
            keep_again(clone)
            continue
        if command.startswith("joulemark run "):
            measured.add(command)
        answer = execute(command, clone)
        verb = re.search(r"\bjoulemark ([a-z]+)", command)
        allowed = EXIT_CODES.get(verb[1] if verb and "echo" not in command else "", {0})
        assert answer.returncode in allowed, f"{command}\n{answer.stdout}\n{answer.stderr}"
        assert "Traceback" not in answer.stderr, command
        if "exit code 1" in expected and HAS_AVX:
            assert "exit code 1" in answer.stdout, answer.stdout  # the work of a step has changed: that is exact
        if "docs/results/" in command:
            summary = (clone / "summary.md").read_text(encoding="utf-8") if "-o summary.md" in command else ""
            printed = " ".join((answer.stdout + answer.stderr + summary).split())
            assert [line for line in expected if " ".join(line.split()) not in printed] == [], command


def test_all_tutorials_are_tried() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(TUTORIALS)
    for name in TUTORIALS:
        assert len(steps(name)) > 3, name
