"""Settings: what is wrong with an option or in the file is one line that names it, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command import joulemark

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.profiles import find_profile
from joulemark.suite.settings import resolve


def refused(directory: Path, given: dict[str, Any] | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        find_profile(resolve(given or {}, directory, cores=2))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rounds = true", "--rounds in {file}: input should be a valid integer, found True."),
        ("threads = 1e9", "--threads in {file}: input should be a valid integer, found 1000000000.0."),
        ("psf = true", "--psf in {file}: input should be a valid number, found True."),
        ("offline = 1", "--offline in {file}: input should be a valid boolean, found 1."),
        ("pue = nan", "--pue in {file}: input should be a finite number, found nan."),
        ("batch_size = [4, 0]", "--batch-size in {file}: input should be greater than or equal to 1, found 0."),
        ("[python]\njax = '/bin/sh'", "unknown framework in [python] of {file} 'jax'."),
        ("[profiles.x]\nrounds = 7", "profiles.x.base in {file}: field required."),
        ("[profiles.quick]\nbase = 'standard'", "profiles.quick is based on 'standard': 'quick' is taken"),
        (
            "profile = 'a'\n[profiles.a]\nbase = 'b'\n[profiles.b]\nbase = 'a'",
            "unknown base of profiles.a, which is to be one of joulemark's profiles, 'b'. Available: ci, full, quick",
        ),
        ("profile = 'qick'", "unknown profile 'qick'. Did you mean 'quick'?"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "joulemark.toml"
    file.write_text(text)
    assert said.format(file=file) in refused(tmp_path)


def test_a_folder_in_the_place_of_the_file_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").mkdir()
    assert refused(tmp_path) == f"cannot read {tmp_path / 'joulemark.toml'}: Is a directory."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch_size": [0]}, "--batch-size: input should be greater than or equal to 1, found 0."),
        ({"batch_size": [4, 99999999999999]}, "--batch-size: input should be less than or equal to 2147483647"),
        ({"rounds": 99999999999999999999}, "--rounds: input should be less than or equal to 2147483647"),
        ({"threads": 17}, "--threads: 17 threads are too many for 2 logical cores: 16 at most."),
        ({"arms": {"a": {}, "b": {"threads": 100_000}}}, "--b-threads: 100000 threads are too many for 2 logical"),
        ({"arms": {"a": {"batch_size": 0}, "b": {}}}, "--a-batch-size: input should be greater than or equal to 1"),
    ],
)
def test_an_option_out_of_range_is_one_line(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    assert said in refused(tmp_path, given)


def test_a_profile_of_ours_can_be_changed_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text("profile = 'ci'\n[profiles.ci]\nbase = 'ci'\nrounds = 2\n")
    found = find_profile(resolve({"threads": 16}, tmp_path, cores=2))
    assert (found.name, found.rounds, found.workloads) == ("ci", 2, ("matmul", "cnn"))


def test_wrong_thresholds_are_said_before_a_run_and_not_after_it(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text("[thresholds]\nthroughput = 'much'\n")
    done = joulemark(tmp_path, "run", "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the threshold of throughput is 'much'" in done.stderr
