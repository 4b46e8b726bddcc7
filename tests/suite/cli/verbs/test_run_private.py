"""`joulemark run` leaves nothing behind but its results: no cache of compiled code, in no folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import FAST, joulemark

from joulemark.suite.records import read

pytestmark = pytest.mark.slow
pytest.importorskip("torch")
pytest.importorskip("tensorflow")


def test_compiled_modes_write_only_to_the_scratch_directory(tmp_path: Path) -> None:
    home = tmp_path / "user"
    home.mkdir()
    (tmp_path / "joulemark.toml").write_text(FAST)
    selection = ("--workload", "mlp", "--phase", "inference", "--mode", "compile", "--mode", "xla", "--rounds", "2")
    variables = {
        "HOME": str(home),
        "TORCHINDUCTOR_CACHE_DIR": str(home / "inductor"),
        "GOMP_CPU_AFFINITY": "0",
    }
    done = joulemark(tmp_path, "run", "--profile", "fast", *selection, "--no-report", variables=variables)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "runs").glob("*.json")
    run_file = read(path)
    states = {case.mode: [trial.compile_cache for trial in case.trials] for case in run_file.cases}
    assert states == {"compile": ["cold", "warm"], "xla": ["cold", "cold"]}
    assert list(home.rglob("*")) == []
    assert list((tmp_path / "tmp").rglob("*")) == []
    # The user's variables are neither in the trials nor forgotten.
    dropped = next(notice.value for notice in run_file.notices if notice.code == "environment_dropped")
    assert "GOMP_CPU_AFFINITY" in str(dropped).split(", ")
    cores = {trial.environment["affinity"] for case in run_file.cases for trial in case.trials}
    assert cores == {run_file.machine.cpu.affinity}
