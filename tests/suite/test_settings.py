"""Settings: their sources in order of precedence, and the one line that names what is wrong with a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command import joulemark
from typer.main import get_command

from joulemark.suite.cli.app import build
from joulemark.suite.errors import UsageError
from joulemark.suite.plan.profiles import find_profile
from joulemark.suite.records import Settings
from joulemark.suite.settings import ENVIRONMENT_PREFIX, FROM_ENVIRONMENT, resolve, validated


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The path of a settings file, not yet written, in the working directory; the environment gives no settings."""
    monkeypatch.chdir(tmp_path)
    for name in FROM_ENVIRONMENT:
        monkeypatch.delenv(variable(name), raising=False)
    return tmp_path / "joulemark.toml"


def variable(name: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{name.upper()}"


def error_of(given: dict[str, Any] | None = None) -> str:
    """Return the message of the error that settings and profile raise."""
    with pytest.raises(UsageError) as caught:
        find_profile(resolve(given or {}, cores=2))
    return str(caught.value)


def test_options_override_the_environment_and_that_the_file(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    assert resolve({}).rounds is None
    file.write_text("rounds = 7\nsensor = 'rapl'\npython = {pytorch = '/a', tensorflow = '/b'}\n")
    assert resolve({}).rounds == 7
    monkeypatch.setenv("JOULEMARK_ROUNDS", "8")
    assert resolve({}).rounds == 8
    settings = resolve({"rounds": 9, "zone": None, "sensor": (), "python": {"pytorch": "/c"}}, measures=True)
    assert (settings.rounds, settings.sensor) == (9, ("rapl",))
    assert settings.python == {"pytorch": "/c"}  # a table replaces the weaker one, and is not merged with it
    assert settings.model_fields_set == {"rounds", "sensor", "python"}
    assert type(settings) is Settings


def test_options_alone_are_validated_without_environment_and_file(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text("rounds = 7\n")
    monkeypatch.setenv("JOULEMARK_ZONE", "CH")
    assert validated({"pue": "1.2"}).model_fields_set == {"pue"}
    with pytest.raises(UsageError, match=r"^--psf: .*found 'much'"):
        validated({"psf": "much"})


@pytest.mark.parametrize("key", ["batch-size", "batch_size"])
def test_the_nearest_file_counts(monkeypatch: pytest.MonkeyPatch, file: Path, key: str) -> None:
    (file.parent / "pyproject.toml").write_text(f"[tool.joulemark]\n{key} = 4\n")
    (file.parent / "inner").mkdir()
    (file.parent / "inner" / "pyproject.toml").write_text("[project]\nname = 'no-settings'\n")
    monkeypatch.chdir(file.parent / "inner")
    assert resolve({}).batch_size == (4,)
    file.write_text(f"{key} = [8, 16]\n")
    assert resolve({}).batch_size == (8, 16)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("profile", "ci", "ci"),
        ("rounds", "8", 8),
        ("threads", "1", 1),
        ("allocator", "default", "default"),
        ("zone", "CH", "CH"),
        ("intensity", "30..39..50", "30..39..50"),
        ("pue", "1.2", "1.2"),
        ("psf", "2", 2.0),
        ("emission_factors", "direct", "direct"),
        ("embodied", "assumed", "assumed"),
        ("lifespan_years", "5", 5.0),
        ("offline", "1", True),
    ],
)
def test_a_variable_sets_its_option(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any) -> None:
    monkeypatch.setenv(variable(name), text)
    assert getattr(resolve({}), name) == value
    monkeypatch.setenv(variable(name), "")
    assert resolve({}) == Settings()


def test_no_other_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields.keys() - set(FROM_ENVIRONMENT):
        monkeypatch.setenv(variable(name), "1")
    assert resolve({}) == Settings()


def test_the_help_names_the_variables_that_are_read() -> None:
    (command,) = get_command(build("run")).commands.values()
    named = {parameter.name: parameter.envvar for parameter in command.params if parameter.envvar}
    assert named == {name: variable(name) for name in FROM_ENVIRONMENT}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("psf", "much", "valid number"),
        ("offline", "maybe", "valid boolean"),
        ("emission_factors", "all", "'lifecycle' or 'direct'"),
        ("rounds", "0", "greater than or equal to 1"),
        ("threads", "1.5", "valid integer"),
        ("lifespan_years", "-1", "greater than 0"),
    ],
)
def test_a_wrong_variable_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str) -> None:
    monkeypatch.setenv(variable(name), text)
    error = error_of()
    assert error.startswith(f"{variable(name)}: ")
    assert message in error
    assert text in error.partition("found ")[2]


def test_a_place_overrides_all_that_weaker_sources_say_of_the_grid(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    def grid(given: dict[str, Any]) -> tuple[Any, ...]:
        settings = resolve(given)
        return settings.zone, settings.coordinates, settings.data_center, settings.intensity, settings.pue

    file.write_text("coordinates = '47.37,8.54'\nintensity = 20\npue = 1.1\n")
    assert grid({}) == (None, "47.37,8.54", None, 20, 1.1)
    monkeypatch.setenv("JOULEMARK_INTENSITY", "39")
    assert grid({}) == (None, "47.37,8.54", None, "39", 1.1)
    monkeypatch.setenv("JOULEMARK_ZONE", "CH")
    assert grid({"zone": None}) == ("CH", None, None, "39", 1.1)
    assert grid({"data_center": "gcp:europe-west6"}) == (None, None, "gcp:europe-west6", None, 1.1)
    monkeypatch.delenv("JOULEMARK_INTENSITY")
    assert grid({}) == ("CH", None, None, None, 1.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rounds = true", "--rounds in {file}: input should be a valid integer, found True."),
        ("threads = 1e9", "--threads in {file}: input should be a valid integer, found 1000000000.0."),
        ("psf = true", "--psf in {file}: input should be a valid number, found True."),
        ("offline = 1", "--offline in {file}: input should be a valid boolean, found 1."),
        ("pue = nan", "--pue in {file}: input should be a finite number, found nan."),
        ("batch_size = [4, 0]", "--batch-size in {file}: input should be greater than or equal to 1, found 0."),
        ("[python]\nmxnet = '/bin/sh'", "unknown framework in [python] of {file} 'mxnet'."),
        ("[profiles.x]\nrounds = 7", "profiles.x.base in {file}: field required."),
        ("[profiles.quick]\nbase = 'standard'", "profiles.quick is based on 'standard', but 'quick' is a built-in"),
        (
            "profile = 'a'\n[profiles.a]\nbase = 'b'\n[profiles.b]\nbase = 'a'",
            "unknown base of profiles.a, which must be a built-in profile, 'b'. Available: ci, full, quick",
        ),
        ("profile = 'qick'", "unknown profile 'qick'. Did you mean 'quick'?"),
        ("ruonds = 3", "unknown key in {file} 'ruonds'. Did you mean 'rounds'?"),
        ("rounds = ", "{file} is not TOML: "),
    ],
)
def test_a_wrong_file_is_one_line(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    assert message.format(file=file) in error_of()


@pytest.mark.parametrize("name", ["joulemark.toml", "pyproject.toml"])
def test_a_byte_order_mark_is_no_part_of_the_file(file: Path, name: str) -> None:
    """As editors on Windows save it."""
    table = b"[tool.joulemark]\r\n" if name == "pyproject.toml" else b""
    (file.parent / name).write_bytes(b"\xef\xbb\xbf" + table + b'zone = "CH"\r\n')
    assert resolve({}).zone == "CH"


def test_a_working_directory_that_was_removed_has_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert resolve({}) == Settings()


def test_a_folder_in_place_of_the_file_is_not_ignored(file: Path) -> None:
    file.mkdir()
    assert error_of() == f"cannot read {file}: Is a directory."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": [0]}, "--batch-size: input should be greater than or equal to 1, found 0."),
        ({"batch_size": [4, 99999999999999]}, "--batch-size: input should be less than or equal to 2147483647"),
        ({"rounds": 99999999999999999999}, "--rounds: input should be less than or equal to 2147483647"),
        ({"threads": 17}, "--threads: 17 threads are too many for 2 logical cores: 16 at most."),
        ({"arms": {"a": {}, "b": {"threads": 100_000}}}, "--b-threads: 100000 threads are too many for 2 logical"),
        ({"arms": {"a": {"batch_size": 0}, "b": {}}}, "--a-batch-size: input should be greater than or equal to 1"),
    ],
)
def test_an_option_out_of_range_is_one_line(given: dict[str, Any], message: str) -> None:
    assert message in error_of(given)


def test_a_profile_can_be_changed_under_its_own_name(file: Path) -> None:
    file.write_text("profile = 'ci'\n[profiles.ci]\nbase = 'ci'\nrounds = 2\n")
    profile = find_profile(resolve({"threads": 16}, cores=2))
    assert (profile.name, profile.rounds, profile.workloads["cpu"]) == ("ci", 2, ["matmul", "cnn"])


def test_wrong_thresholds_fail_before_a_run_starts(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text("[thresholds]\nthroughput = 'much'\n")
    done = joulemark(tmp_path, "run", "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the threshold of throughput is 'much'" in done.stderr
