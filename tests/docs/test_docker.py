"""The Dockerfile: its steps are the README's, and the files that it gets are enough."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from places import DOCS, ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTRUCTIONS = [
    line.split(maxsplit=1) for line in DOCKERFILE.replace("\\\n", " ").splitlines() if re.match(r"[A-Z]", line)
]
ARGUMENTS = dict(given.split("=", 1) for name, given in INSTRUCTIONS if name == "ARG")
CONTEXT = [name[1:] for name in (ROOT / ".dockerignore").read_text().splitlines() if name.startswith("!")]


def all_of(name: str) -> list[str]:
    """Return what follows each instruction of this name."""
    return [given for instruction, given in INSTRUCTIONS if instruction == name]


def commands(instruction: str) -> list[list[str]]:
    """Return the words of each command of a RUN, with the arguments' defaults."""
    text = re.sub(r"\$\{(\w+)\}", lambda name: ARGUMENTS[name[1]], instruction)
    return [shlex.split(command) for command in text.split("&&")]


def test_the_steps_are_those_of_the_readme() -> None:
    (line,) = re.findall(r"<!-- measure -->\n```sh\n(.*)\n```", README)
    made, installed, measured = (shlex.split(command) for command in line.split(" && "))
    assert [made, installed] in [commands(each) for each in all_of("RUN")]
    (program,) = all_of("ENTRYPOINT")
    (arguments,) = all_of("CMD")
    (folder, _) = all_of("WORKDIR")
    assert [*tomllib.loads(f"x = {program}")["x"], *tomllib.loads(f"x = {arguments}")["x"]] == [
        f"{folder}/{measured[0]}",
        *measured[1:],
    ]


def test_the_packages_of_debian_are_those_of_the_readme() -> None:
    (named,) = re.findall(r"`apt install ([^`]+)`", README)
    (installed,) = (
        command for each in all_of("RUN") for command in commands(each) if command[:2] == ["apt-get", "install"]
    )
    assert [word for word in installed[2:] if not word.startswith("-")] == named.split()


def test_it_runs_without_root() -> None:
    (user,) = all_of("USER")
    assert int(user.partition(":")[0]) > 0
    assert max(i for i, (name, _) in enumerate(INSTRUCTIONS) if name == "USER") > max(
        i for i, (name, _) in enumerate(INSTRUCTIONS) if name in ("RUN", "COPY")
    )


def test_extras_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    page = (DOCS / "docker.md").read_text(encoding="utf-8")
    named = [
        ARGUMENTS["EXTRAS"],
        *re.findall(r"EXTRAS=(\S+)", page),
        *re.findall(r"# .*`([\w,-]+)`, or `([\w,-]+)`", DOCKERFILE)[0],
    ]
    assert {extra for names in named for extra in names.split(",")} <= set(extras)
    assert set(re.findall(r"--build-arg (\w+)=", page)) == set(ARGUMENTS)


@pytest.mark.slow
def test_the_files_that_it_gets_make_the_whole_package(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    for name in CONTEXT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, context / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, context / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=context, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    listed = subprocess.run(
        ["git", "ls-files", "joulemark", "suite", "workloads", "reports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("no git repository to compare with")
    links = {"joulemark/suite", "joulemark/workloads", "joulemark/reports"}
    expected = {
        name if name.startswith("joulemark/") else f"joulemark/{name}" for name in listed.stdout.split()
    } - links
    assert {name for name in expected if (ROOT / name).exists()} == packed & expected
    assert len(packed) > 500
