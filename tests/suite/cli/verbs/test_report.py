"""`joulemark report` with other carbon inputs. `tests/reports` is about the page itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import joulemark
from report_files import full

from joulemark.suite.records import write

pytestmark = pytest.mark.slow


def test_carbon_options_recompute_the_run(tmp_path: Path) -> None:
    write(full(), tmp_path / "run.json")
    options = ("--zone", "PL", "--pue", "1.1")
    done = joulemark(tmp_path, "report", "run.json", *options, "-o", "page.md")
    assert done.returncode == 0, done.stderr
    assert "588.6" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_environment_and_settings_file_leave_emissions_alone(tmp_path: Path) -> None:
    write(full(), tmp_path / "run.json")
    joulemark(tmp_path, "report", "run.json", "-o", "plain.md")
    (tmp_path / "joulemark.toml").write_text('zone = "PL"\n')
    done = joulemark(tmp_path, "report", "run.json", "-o", "page.md", variables={"JOULEMARK_PUE": "1.5"})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == (tmp_path / "plain.md").read_text(encoding="utf-8")


def test_unknown_run_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = joulemark(tmp_path, "report", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "nothing" in done.stderr
