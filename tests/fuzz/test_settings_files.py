"""Settings files and environment variables of any content: settings, or one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import ODD_NUMBERS, ODD_TEXT, accepted, mutated
from hypothesis import example, given
from hypothesis import strategies as st

from joulemark.suite import settings
from joulemark.suite.plan.profiles import find_profile
from joulemark.suite.records import Settings
from joulemark.suite.system import settings_file

EXAMPLE = """\
profile = "mine"
rounds = 3
threads = 2
zone = "CH"
intensity = "30..41.5..60"
pue = 1.2
k = "cnn and not vit"
batch-size = [1, 8]
offline = true
sensor = ["rapl", "meter:watts.csv"]
[python]
pytorch = "/opt/torch/bin/python"
[thresholds]
throughput = "5%"
[profiles.mine]
base = "quick"
workloads = ["matmul", "cnn"]
size = "tiny"
window_s = 0.3
[arms.a]
threads = 1
"""
KEYS = [
    *Settings.model_fields,
    "thresholds",
    "profiles.mine",
    "python.pytorch",
    "arms.a.threads",
    "tool.joulemark",
    "x",
]
VALUES = [
    *(f'"{text}"' for text in ("CH", "1..2..3", "nan", "", "gcp:x", "47.37,8.54", "../../../etc/passwd", "x" * 3000)),
    *(
        "0",
        "-1",
        "1.5",
        "nan",
        "inf",
        "9" * 400,
        "9" * 5000,
        "true",
        "[]",
        "[1, 'a']",
        "{}",
        "{a = {b = [1]}}",
        "2026-11-23T00:00:00Z",
    ),
    *("[" * 3000, "{a=" * 1000, "'''", '"\\u0000"', "0x" + "f" * 300),
]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A working directory, where a file of any content is the settings file."""
    path = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        for name in settings.FROM_ENVIRONMENT:
            patch.delenv(f"JOULEMARK_{name.upper()}", raising=False)
        yield path


def resolve(name: str, content: bytes) -> Settings | None:
    """Return the settings of a file, with their profile looked up; None where it is refused."""
    Path(name).write_bytes(content)
    try:
        accepted(lambda: settings_file.section("thresholds"))
        resolved = accepted(lambda: settings.resolve({}, cores=2))
        if resolved is not None:
            accepted(lambda: find_profile(resolved))
        return resolved
    finally:
        Path(name).unlink()


def test_the_example_is_accepted():
    assert resolve("joulemark.toml", EXAMPLE.encode()) is not None


@given(mutated([EXAMPLE], [*ODD_TEXT, *ODD_NUMBERS, *KEYS, *VALUES, "[", "]", "=", "\n"]))
def test_a_file_near_a_valid_one(text):
    resolve("joulemark.toml", text.encode(errors="surrogatepass"))


@given(mutated(["[tool.joulemark]\nrounds = 3\n", "tool = 1\n", "tool.joulemark = 1\n"], [*KEYS, *VALUES, ".", "="]))
def test_a_pyproject_near_a_valid_one(text):
    resolve("pyproject.toml", text.encode(errors="surrogatepass"))


@given(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=5))
def test_any_value_of_any_key(table):
    text = "".join(f"{key} = {value}\n" for key, value in table.items())
    resolve("joulemark.toml", text.encode())
    resolve("pyproject.toml", f"[tool.joulemark]\n{text}".encode())


@given(st.binary(max_size=300))
@example(b"x = " + b"[" * 3000)
@example(b"x = " + b"9" * 5000)
@example(b"tool = 1")
@example(b"tool.joulemark = 1")
def test_any_bytes(content):
    resolve("joulemark.toml", content)
    resolve("pyproject.toml", content)


@given(
    st.sampled_from(settings.FROM_ENVIRONMENT),
    st.sampled_from([*ODD_NUMBERS, *ODD_TEXT, "CH", "0.5", "1..2..3"]) | st.text(max_size=20),
)
def test_any_environment_variable(name, value):
    if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        return  # no variable can hold them
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"JOULEMARK_{name.upper()}", value)
        accepted(lambda: settings.resolve({}, cores=2))
