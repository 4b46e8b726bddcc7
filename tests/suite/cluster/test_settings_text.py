"""What a node is given makes the same settings there as here."""

from __future__ import annotations

import tomllib

import pytest

from joulemark.suite.cluster.settings_text import options, passed_on, settings_file_text, without_own_settings
from joulemark.suite.records import ProfileSettings, Settings
from joulemark.suite.settings import resolve

WHOLE = Settings(
    profile="mine",
    profiles={"mine": ProfileSettings(base="quick", window_s={"cpu": 0.5, "cuda": 2.0}, workloads=("matmul",))},
    workload=("matmul", "cnn"),
    batch_size=(1, 8),
    keyword='matmul and not "x\\y"\n\x7f é',
    window_s={"cpu": 0.25},
    python={"pytorch": "/opt/my env/python"},
    zone="CH",
    pue="1.1..1.2..1.3",
    threads=3,
    offline=True,
    latency=True,
)


def test_settings_survive_the_way(tmp_path, monkeypatch) -> None:
    """The file is read by the same code that reads a user's."""
    (tmp_path / "joulemark.toml").write_text(settings_file_text(WHOLE))
    monkeypatch.chdir(tmp_path)
    for name in ("JOULEMARK_ZONE", "JOULEMARK_PROFILE", "JOULEMARK_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert resolve({}, measures=True) == WHOLE


def test_defaults_are_left_to_the_node() -> None:
    assert settings_file_text(Settings()) == ""


def test_ranks_are_options() -> None:
    settings = Settings(ranks=(1, 2), strategy=("ddp",), scaling="strong")
    assert tomllib.loads(settings_file_text(settings)) == {}
    assert options(settings) == ("--ranks", "1", "--ranks", "2", "--strategy", "ddp", "--scaling", "strong")


@pytest.mark.parametrize("name", ["ELECTRICITYMAPS_API_TOKEN", "JOULEMARK_REDFISH_PASSWORD", "JOULEMARK_PLUG_USER"])
def test_tokens_and_whose_they_are_go_along(name: str) -> None:
    assert passed_on({name: "x" * 12, "JOULEMARK_HOME": "/here", "AWS_SECRET_ACCESS_KEY": "no", "PATH": "/bin"}) == {
        name: "x" * 12
    }


def test_a_nodes_own_settings_do_not_count() -> None:
    own = {"JOULEMARK_ZONE": "DE", "JOULEMARK_HOME": "/there", "JOULEMARK_POWERCAP_ROOT": "/sys", "PATH": "/bin"}
    assert without_own_settings(own) == {name: own[name] for name in list(own)[1:]}
