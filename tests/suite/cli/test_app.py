"""The command as a person types it: help, bad input, and what each verb loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from command import COMMAND, environment, joulemark
from places import DOCS
from run_files import run_file

from joulemark.suite.cli import app
from joulemark.suite.errors import StoppedError, unknown
from joulemark.suite.records import write

HEAVY = ("torch", "tensorflow", "keras", "numpy", "pandas", "scipy", "plotly", "codecarbon")


def modules_after(home, *arguments: str) -> set[str]:
    """Names of the top-level modules that `joulemark ARGUMENTS` has imported at its end."""
    code = (
        "import sys, atexit, json\n"
        "atexit.register(lambda: print('MODULES' + json.dumps(sorted({m.split('.')[0] for m in sys.modules})), "
        "file=sys.stderr))\n"
        f"sys.argv = ['joulemark', *{list(arguments)!r}]\n"
        "from joulemark.suite.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.rsplit("MODULES", 1)[1]))


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], HEAVY),
        (["run", "--help"], HEAVY),
        (["--version"], HEAVY),
        (["schema"], HEAVY),
        (["list"], [name for name in HEAVY if name != "numpy"]),
        (["list", "--cases"], [name for name in HEAVY if name != "numpy"]),
        (["show", "latest"], ["torch", "tensorflow", "keras", "pandas", "plotly", "codecarbon"]),
        (["export", "latest", "--format", "csv"], HEAVY),
        (["measure", "--help"], HEAVY),
        (["check", "--help"], HEAVY),
        (["baseline", "list"], HEAVY),
        (["compare", "latest", "--by", "framework"], [name for name in HEAVY if name not in ("numpy", "scipy")]),
        (
            ["measure", "--sensor", "simulated:rapl/constant", "--no-report", "--", "true"],
            ["torch", "tensorflow", "keras", "pandas", "plotly", "codecarbon"],
        ),
        (["export", "latest", "--format", "markdown"], [name for name in HEAVY if name not in ("numpy", "scipy")]),
        (["report", "latest", "-o", "page.html"], ["torch", "tensorflow", "keras", "pandas", "codecarbon"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value[0] != "torch" else "",
)
def test_a_verb_loads_only_what_it_needs(tmp_path, monkeypatch, arguments, forbidden):
    monkeypatch.chdir(tmp_path)
    write(run_file(), tmp_path / "runs" / "20261101T120000Z-a1b2.json")
    loaded = modules_after(tmp_path, *arguments)
    assert loaded & set(forbidden) == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--workload", "matmull"], ["'matmull'", "Did you mean 'matmul'?", "cnn"]),
        (["run", "--framework", "jax"], ["'jax'", "pytorch", "tensorflow"]),
        (["run", "--zone", "XQ"], ["'XQ'"]),
        (["run", "--size", "huge"], ["'huge'", "small"]),
        (["run", "--phase", "learning"], ["'learning'", "training"]),
        (["run", "--mode", "jit"], ["'jit'", "xla"]),
        (["run", "--precision", "int8"], ["'int8'", "bf16"]),
        (["run", "--device", "cuda:9"], ["'cuda:9'", "cpu"]),
        (["run", "--profile", "fast"], ["'fast'", "quick"]),
        (["run", "--pue", "0.5"], ["0.5", "1"]),
        (["run", "--intensity", "-3"], ["-3"]),
        (["run", "--rounds", "0"], ["rounds", "0"]),
        (["run", "--threads", "two"], ["--threads", "integer"]),
        (["run", "--allocator", "jemalloc"], ["jemalloc", "retain"]),
        (["run", "--python", "tensorflow"], ["FRAMEWORK=PATH"]),
        (["run", "--python", "tensorflow=/nowhere/python"], ["/nowhere/python"]),
        (["run", "-k", "cnn and"], ["cnn and"]),
        (["run", "-k", "nosuchcase"], ["nothing is selected: -k 'nosuchcase' matches none of the", "such as matmul:"]),
        (["run", "--mode", "compile", "--framework", "tensorflow"], ["nothing is selected: no workload has all"]),
        (["run", "--out", "/dev/null"], ["--out is a directory; /dev/null is a file."]),
        (["measure", "--", "/tmp"], ["cannot run '/tmp': it is a folder."]),
        (["measure", "--", "/etc/passwd"], ["cannot run '/etc/passwd': it is not executable"]),
        (["run", "--nonsense"], ["--nonsense"]),
        (["run", "--out", "/proc/nowhere"], ["/proc/nowhere", "--out"]),
        (["rnu"], ["rnu"]),
        (["list", "--size", "tiny"], ["--cases"]),
        (["list", "--runs", "-k", "nonsense"], ["-k selects cases", "--runs lists all that are kept"]),
        (["list", "--out", "here"], ["--out is where --runs looks"]),
        (["list", "--cases", "--out", "here"], ["--out is where --runs looks"]),
        (["show"], ["RUN"]),
        (["show", "latest"], ["no run", "latest"]),
        (["show", "/nowhere.json"], ["/nowhere.json"]),
        (["report", "nothing"], ["nothing"]),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_2(tmp_path, arguments, words):
    done = joulemark(tmp_path, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("{", "broken or truncated"),
        ("[1, 2]", "no schema_version"),
        ('{"name": "x"}', "no schema_version"),
        ('{"schema_version": 99}', "Upgrade"),
        ('{"schema_version": 1}', "not a valid run file"),
        ("\x00\xff", "not"),
    ],
    ids=["empty", "truncated", "list", "foreign", "future", "hollow", "binary"],
)
@pytest.mark.parametrize("verb", ["show", "report"])
def test_a_file_that_is_no_run_is_one_line_and_exit_2(tmp_path, verb, text, words):
    path = tmp_path / "run.json"
    path.write_bytes(text.encode("latin-1"))
    done = joulemark(tmp_path, verb, str(path))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert words in done.stderr
    assert str(path) in done.stderr


def test_settings_come_from_flag_environment_and_file_in_that_order(tmp_path):
    (tmp_path / "joulemark.toml").write_text('rounds = 7\nk = "matmul"\nsize = "tiny"\n')

    def rounds(*arguments: str, **variables: str) -> int:
        done = joulemark(tmp_path, "list", "--cases", "--json", *arguments, variables=variables)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert all("matmul:tiny" in case["id"] for case in document["cases"])
        return document["rounds"]

    assert rounds() == 7
    assert rounds(JOULEMARK_ROUNDS="8") == 8
    assert rounds("--rounds", "9", JOULEMARK_ROUNDS="8") == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rounds = ", "not TOML"),
        ("ruonds = 3", "'ruonds'"),
        ("rounds = 'many'", "rounds"),
        ("[profiles.mine]\nbase = 'ci'\nwindow_s = -1", "profiles.mine.window_s"),
        ("profile = 'mine'\n[profiles.mine]\nbase = 'qick'", "Did you mean 'quick'?"),
        ("profile = 'mine'\n[profiles.mine]\nbase = 'quick'\nworkloads = ['matmull']", "Did you mean 'matmul'?"),
    ],
)
def test_a_settings_file_that_is_wrong_is_one_line(tmp_path, text, words):
    (tmp_path / "joulemark.toml").write_text(text)
    done = joulemark(tmp_path, "list", "--cases")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert words in done.stderr


def test_a_profile_of_ones_own_changes_what_it_names_and_nothing_else(tmp_path):
    (tmp_path / "joulemark.toml").write_text("[profiles.mine]\nbase = 'ci'\nworkloads = ['cnn']\nwindow_s = 1.5\n")
    done = joulemark(tmp_path, "list", "--cases", "--profile", "mine", "--json")
    document = json.loads(done.stdout)
    assert document["rounds"] == 10
    assert {case["id"].split(":")[0] for case in document["cases"]} == {"cnn"}


def test_json_is_one_object_on_standard_output(tmp_path):
    write(run_file(), tmp_path / "runs" / "20261101T120000Z-a1b2.json")
    for arguments, key in (
        (["list", "--json"], "workloads"),
        (["list", "--cases", "--json"], "cases"),
        (["list", "--runs", "--json"], "runs"),
        (["show", "2026", "--json"], "cases"),
        (["run", "--dry-run", "--json"], "cases"),
    ):
        done = joulemark(tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert document["schema_version"] == 1
        assert document[key]


def test_a_closed_pipe_is_not_a_traceback(tmp_path):
    done = subprocess.run(
        f"{sys.executable} -P -c 'from joulemark.suite.cli.app import main; main()' schema | head -1",
        shell=True,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["schema", "list"])
def test_a_reader_that_has_gone_is_no_regression(tmp_path, verb):
    command = (
        f"set -o pipefail; {sys.executable} -P -c 'from joulemark.suite.cli.app import main; main()' {verb} | true"
    )
    done = subprocess.run(["bash", "-c", command], env=environment(tmp_path), capture_output=True, check=False)
    assert done.returncode in (0, 141)  # 0 where all of it fitted into the pipe before the reader went


def test_a_verb_is_run_however_it_is_led_in(tmp_path):
    assert json.loads(joulemark(tmp_path, "--", "schema").stdout)["title"] == "RunFile"
    assert "No such command 'rum'" in joulemark(tmp_path, "rum").stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("WORKLOADS = 3", "TypeError: 'int' object is not iterable"),
        ("WORKLOADS = [3]", "TypeError: WORKLOADS holds 3, which is no workload"),
        ("from joulemark.workloads.matmul.spec import WORKLOADS", "ValueError: workload matmul is defined twice"),
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("", "AttributeError: module 'others' has no attribute 'WORKLOADS'"),
    ],
)
def test_a_broken_package_of_others_is_named_in_one_line(tmp_path, text, said):
    (tmp_path / "others.py").write_text(text)
    described = tmp_path / "others-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[joulemark.workloads]\nmine = others\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = joulemark(tmp_path, "list", variables={"PYTHONPATH": path})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"joulemark: others has no workloads for joulemark at others (entry point 'mine'): {said}. "
        "Mend it, or uninstall it.\n"
    )


@pytest.mark.parametrize(
    "verb", [["show", "latest"], ["schema"], ["list", "--json"], ["list"], ["--help"], ["--version"]], ids=" ".join
)
def test_a_full_disk_is_no_bug(tmp_path, verb):
    write(run_file(), tmp_path / "runs" / "20261101T120000Z-a1b2.json")
    with open("/dev/full", "w") as full:
        verb = [*COMMAND, *verb]
        done = subprocess.run(
            verb, env=environment(tmp_path), stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )
    assert (done.returncode, done.stderr) == (2, "joulemark: cannot write the output: No space left on device.\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_a_terminal_that_lacks_characters_gets_what_stands_nearest(tmp_path, encoding):
    run = DOCS / "results" / "quick-2-cores.json"
    done = subprocess.run(
        [*COMMAND, "show", str(run)],
        env=environment(tmp_path, PYTHONIOENCODING=encoding),
        capture_output=True,
        check=True,
    )
    text = done.stdout.decode(encoding)
    assert "CO2e per 1,000 items" in text
    assert "?" not in text


@pytest.mark.parametrize(
    ("found", "known"), [("gpu", ["cpu"]), ("nonsense", ["tsne", "resnet50"]), ("", ["cpu"]), ("jit", ["xla", "graph"])]
)
def test_no_guess_is_made_that_is_far_off(found, known):
    assert "Did you mean" not in str(unknown("name", found, known))


def test_ctrl_c_is_told_however_early():
    def command() -> None:
        raise KeyboardInterrupt

    with pytest.raises(StoppedError, match="interrupted"):
        app._stopped(command)()
