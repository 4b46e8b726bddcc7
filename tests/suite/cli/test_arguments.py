"""From options to settings: option groups, and the order of command line, environment and settings file."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Annotated, TypedDict, Unpack, get_args

import pytest
import typer
from command import joulemark
from environments import stand_in

from joulemark.suite.cli.arguments import check_suffix, expand
from joulemark.suite.cli.option_groups import Carbon, Recompute
from joulemark.suite.errors import UsageError

LIST = ("list", "--cases", "--json")


class Group(TypedDict):
    flag: Annotated[bool, typer.Option("--flag")]
    number: Annotated[int | None, typer.Option(envvar="JOULEMARK_NUMBER")]


def command(name: str, **given: Unpack[Group]) -> tuple[str, Group]:
    """Return the arguments."""
    return name, given


def test_group_becomes_parameters() -> None:
    expanded = expand(command)
    parameters = inspect.signature(expanded).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "name": inspect.Parameter.empty,
        "flag": False,
        "number": None,
    }
    assert get_args(parameters["number"].annotation)[1].envvar == "JOULEMARK_NUMBER"
    assert expanded("a", flag=True, number=3) == ("a", {"flag": True, "number": 3})
    assert expanded.__doc__ == command.__doc__


def test_recompute_group_has_the_carbon_options_without_variables_and_defaults() -> None:
    def report(**given: Unpack[Recompute]) -> None: ...

    def run(**given: Unpack[Carbon]) -> None: ...

    recompute, carbon = (inspect.signature(expand(verb)).parameters for verb in (report, run))
    assert list(recompute) == list(carbon)
    options = [get_args(parameter.annotation)[1] for parameter in recompute.values()]
    assert not any(option.envvar or "(default" in option.help for option in options)
    assert get_args(carbon["zone"].annotation)[1].envvar == "JOULEMARK_ZONE"  # the original is unchanged


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "arguments"),
    [
        ("--prompt", ("run", "--dry-run", "--prompt", "8", "--prompt=16")),
        ("--against", ("compare", "latest", "--against", "a", "--against", "b")),
        ("--by", ("compare", "latest", "--by", "mode", "--by", "mode")),
    ],
)
def test_an_option_of_one_value_is_given_once(tmp_path: Path, option: str, arguments: tuple[str, ...]) -> None:
    done = joulemark(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"joulemark: {option} takes one value, and is given 2 times: give it once.\n"


def test_suffix_of_output_files() -> None:
    for path in (None, Path("page"), Path("page.html"), Path("PAGE.HTM")):
        check_suffix(path, (".html", ".htm"))
    with pytest.raises(UsageError, match=r"page\.pdf.*\.html or \.htm"):
        check_suffix(Path("page.pdf"), (".html", ".htm"))


@pytest.mark.slow
def test_command_line_overrides_environment_and_that_the_file(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text('rounds = 7\nk = "matmul"\nsize = "tiny"\nframework = "pytorch"\n')
    python = stand_in(tmp_path)

    def rounds(*arguments: str, **variables: str) -> int:
        done = joulemark(tmp_path, *LIST, "--python", f"pytorch={python}", *arguments, variables=variables)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert all("matmul:tiny" in case["id"] for case in document["cases"])
        return int(document["rounds"])

    assert rounds() == 7
    assert rounds(JOULEMARK_ROUNDS="8") == 8
    assert rounds("--rounds", "9", JOULEMARK_ROUNDS="8") == 9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("rounds = ", "not TOML"),
        ("ruonds = 3", "'ruonds'"),
        ("rounds = 'many'", "rounds"),
        ("[profiles.mine]\nbase = 'ci'\nwindow_s = -1", "profiles.mine.window_s"),
        ("[profiles.mine]\nbase = 'ci'\nwindow_s = { cuda = -1 }", "profiles.mine.window_s.cuda in"),
        ("[profiles.mine]\nbase = 'ci'\nsize = { gpu = 'base' }", "'cpu' or 'cuda', found 'gpu'"),
        ("[profiles.mine]\nbase = 'ci'\nprecisions = 'bf16'", "profiles.mine.precisions in"),
        ("profile = 'mine'\n[profiles.mine]\nbase = 'qick'", "Did you mean 'quick'?"),
        ("profile = 'mine'\n[profiles.mine]\nbase = 'quick'\nworkloads = ['matmull']", "Did you mean 'matmul'?"),
    ],
)
def test_wrong_settings_file_is_one_line_and_exit_2(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "joulemark.toml").write_text(content)
    done = joulemark(tmp_path, "list", "--cases")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert text in done.stderr


@pytest.mark.slow
def test_own_profile_changes_only_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "joulemark.toml").write_text("[profiles.mine]\nbase = 'ci'\nworkloads = ['cnn']\nwindow_s = 1.5\n")
    options = ("--profile", "mine", "--framework", "pytorch", "--python", f"pytorch={stand_in(tmp_path)}")
    document = json.loads(joulemark(tmp_path, *LIST, *options).stdout)
    assert document["rounds"] == 10
    assert {case["id"].split(":")[0] for case in document["cases"]} == {"cnn"}
