"""A settings file that came with somebody else's folder runs and shows nothing until something is measured."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from command import joulemark
from environments import environment_with
from run_files import run_file

from joulemark.suite.errors import UsageError
from joulemark.suite.records import write
from joulemark.suite.settings import named_by_file, resolve

CONTENT = "first-line-of-a-file-of-this-user"
STRANGER = 65534


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a program, and a file whose content nobody is to see."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.sh").write_text(f"#!/bin/sh\necho ran >> {tmp_path}/ran\nexit 1\n")
    (tmp_path / "evil.sh").chmod(0o755)
    (tmp_path / "private").write_text(f"{CONTENT}:x:0:0,{CONTENT}\n{CONTENT}\n")
    return tmp_path


def write_settings(folder: Path, text: str) -> Path:
    path = folder / "joulemark.toml"
    path.write_text(text.format(folder=folder))
    return path


INTERPRETER = "python.pytorch = '{folder}/evil.sh'\n"
ARM = "arms.a.python = '{folder}/evil.sh'\narms.b.threads = 1\n"
FILES = "intensity = '{folder}/private'\nsensor = ['meter:{folder}/private', 'rapl']\n"


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["list --cases --framework pytorch", "run --dry-run --framework pytorch", "doctor"])
def test_looking_runs_and_reads_nothing(folder: Path, verb: str) -> None:
    write_settings(folder, FILES + INTERPRETER + ARM)
    # `doctor` imports every framework that there is, which takes seconds each.
    python = environment_with(folder / "env") if verb == "doctor" else sys.executable
    done = joulemark(folder, *verb.split(), python=python)
    assert done.returncode in {0, 4}, done.stderr
    assert not (folder / "ran").exists()
    assert CONTENT not in done.stdout + done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("Left out, since nothing is measured: "))
    assert all(f"{name} = " in line for name in ("python.pytorch", "arms.a.python", "sensor", "intensity"))


@pytest.mark.parametrize("text", [INTERPRETER, ARM, FILES])
def test_each_is_left_out_alone(folder: Path, text: str) -> None:
    write_settings(folder, text)
    looking, measuring = resolve({}), resolve({}, measures=True)
    assert str(folder) not in repr(looking)
    assert str(folder) in repr(measuring)


@pytest.mark.slow
def test_measuring_names_what_it_uses(folder: Path) -> None:
    write_settings(folder, INTERPRETER)
    done = joulemark(folder, "run", "--workload", "matmul", "--framework", "pytorch", "--offline")
    assert (folder / "ran").exists()
    assert f"Using python.pytorch = '{folder}/evil.sh' of {folder}/joulemark.toml." in done.stderr


@pytest.mark.parametrize("text", [INTERPRETER, ARM, FILES])
def test_the_file_of_another_user_names_nothing(folder: Path, text: str) -> None:
    path = write_settings(folder, text + "rounds = 4\n")
    assert resolve({}, measures=True).rounds == 4
    path.chmod(0o666)
    with pytest.raises(UsageError, match="every user may write the file"):
        resolve({}, measures=True)
    assert resolve({}).rounds == 4
    if os.geteuid():
        pytest.skip("only root can give a file away")
    path.chmod(0o644)
    os.chown(path, STRANGER, STRANGER)
    with pytest.raises(UsageError, match="the file belongs to user"):
        resolve({}, measures=True)
    assert resolve({}).rounds == 4


def test_options_override_what_the_file_names(folder: Path) -> None:
    path = write_settings(folder, INTERPRETER + FILES)
    path.chmod(0o666)
    given = {"python": {"pytorch": "/bin/python"}, "sensor": ("rapl",), "intensity": 3.0}
    assert resolve(given, measures=True).python == {"pytorch": "/bin/python"}
    assert named_by_file(given) is None
    assert resolve({"zone": "CH"}).sensor == ("rapl",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "option", [("--intensity", "private"), ("--sensor", "meter:private"), ("--sensor", "replay:private")]
)
def test_a_file_that_is_none_of_the_kind_is_not_shown(folder: Path, option: tuple[str, str]) -> None:
    (folder / "private.json").write_text(f'{{"schema_version": 1, "password": "{CONTENT}"}}')
    for arguments in (("run", "--dry-run", *option), ("show", "private"), ("show", "private.json")):
        done = joulemark(folder, *arguments)
        assert done.returncode == 2
        assert CONTENT not in done.stdout + done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "a = " + "[" * 100_000, "a" + ".a" * 100_000 + " = 1", f"[{'a.' * 100_000}a]"]
)
def test_deep_nesting_is_one_line(folder: Path, text: str) -> None:
    for name, content in (("joulemark.toml", text), ("pyproject.toml", text)):
        (folder / name).write_text(content)
        with pytest.raises(UsageError) as caught:
            resolve({})
        assert len(str(caught.value)) < 600
        (folder / name).unlink()


def test_what_is_no_file_or_has_no_end_is_not_read(folder: Path) -> None:
    path = folder / "joulemark.toml"
    os.mkfifo(path)
    with pytest.raises(UsageError, match="it is no file"):
        resolve({})
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="it is no file"):
        resolve({})
    path.unlink()
    path.write_text("#" * 2_000_000)
    with pytest.raises(UsageError, match="too many for settings"):
        resolve({})


def test_a_long_value_is_shortened_in_the_message(folder: Path) -> None:
    write_settings(folder, "rounds = '" + "x" * 100_000 + "'")
    with pytest.raises(UsageError) as caught:
        resolve({})
    assert len(str(caught.value)) < 300


@pytest.mark.slow
def test_the_run_of_another_user_is_not_resumed_with_its_interpreters(folder: Path) -> None:
    run = run_file()
    settings = run.settings.model_copy(update={"python": {"pytorch": f"{folder}/evil.sh"}})
    path = folder / "run.json"
    unfinished = run.run.model_copy(update={"complete": False, "finished_at": None})
    write(run.model_copy(update={"settings": settings, "run": unfinished}), path)
    path.chmod(0o666)
    done = joulemark(folder, "run", "--resume", str(path))
    assert done.returncode == 2
    assert "every user may write the file" in done.stderr
    assert not (folder / "ran").exists()
