"""What `import joulemark` gives, also where a project has packages of our names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment
from run_files import run_file

import joulemark
from joulemark.suite.records import write


def test_a_run_file_is_read(tmp_path):
    path = tmp_path / "run.json"
    write(run_file(), path)
    assert joulemark.read(str(path)) == run_file()


def test_what_is_none_is_one_line(tmp_path):
    with pytest.raises(joulemark.JoulemarkError, match="cannot read") as caught:
        joulemark.read(tmp_path / "nothing.json")
    assert "\n" not in str(caught.value)


def test_the_names_are_these():
    assert sorted(joulemark.__all__) == [
        "Amount",
        "JoulemarkError",
        "KerasCallback",
        "LightningCallback",
        "Measurement",
        "Meter",
        "Reading",
        "RunFile",
        "TrainerCallback",
        "__version__",
        "read",
    ]
    assert dir(joulemark) == sorted(joulemark.__all__)
    with pytest.raises(AttributeError, match="no attribute 'meter_of'"):
        joulemark.meter_of  # noqa: B018


def project(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run `program` in a project that has packages called `suite`, `reports` and `workloads` of its own."""
    for name in ("suite", "reports", "workloads"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"MINE = {name!r}\n")
    (folder / "program.py").write_text(program)
    return subprocess.run(
        [sys.executable, "program.py"],
        cwd=folder,
        env={**environment(folder / "home"), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


FOREIGN = """
import json, sys, time
import joulemark
imported = sorted(name for name in sys.modules if name.partition(".")[0] in
                  {"suite", "reports", "workloads", "pydantic", "numpy", "psutil", "torch", "tensorflow", "keras"})
with joulemark.Meter("turn", zone="CH", sensor="simulated:rapl/constant") as meter:
    time.sleep(0.3)
energy = meter.energy.value
path = meter.save("turn.json")
trials = joulemark.read(path).cases[0].trials
try:
    joulemark.read("nothing.json")
except joulemark.JoulemarkError as error:
    said = str(error)
import suite, reports, workloads
print(json.dumps([imported, energy, trials[0].energy[0].energy_j, said, joulemark.__version__,
                  suite.MINE, reports.MINE, workloads.MINE]))
"""


def test_a_project_may_have_packages_of_our_names(tmp_path):
    done = project(tmp_path, FOREIGN)
    assert done.returncode == 0, done.stderr
    imported, energy_j, saved_j, said, version, *theirs = json.loads(done.stdout)
    assert imported == []
    assert energy_j == pytest.approx(saved_j, rel=1e-9)
    assert energy_j > 0
    assert "cannot read nothing.json" in said
    assert version == joulemark.__version__
    assert theirs == ["suite", "reports", "workloads"]
    assert done.stderr == ""


def test_nothing_is_left_behind_by_a_program_that_ends(tmp_path):
    assert project(tmp_path, FOREIGN).returncode == 0
    assert list((tmp_path / "home" / "tmp").iterdir()) == []
