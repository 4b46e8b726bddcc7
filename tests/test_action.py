"""The action for GitHub: its steps are run, on a workload that does more work the second time."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from command import FAST_ROUNDS, environment
from composite_action import Outcome, Runner, UnknownExpressionError
from environments import environment_like_this, known, require
from places import DOCS, ROOT, SUPPORT

require("torch", "hatchling", "hatch_vcs")

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]
MEASURED = (
    f"--workload laden --size given --framework pytorch --threads 1 --rounds 2 --offline {' '.join(known('pytorch'))}"
)
EXACTLY = "throughput:off\nenergy:off"
"""What a step does is judged exactly, however busy the machine is."""


def runner(space: Path) -> Runner:
    """Return a runner whose `python` has the packages of this one, and a project with a profile that takes seconds."""
    python = Path(environment_like_this(space / "environment"))
    variables = environment(space, PYTHONPATH=str(SUPPORT / "laden"), PATH=f"{python.parent}:/usr/bin:/bin")
    del variables["JOULEMARK_HOME"]
    made = Runner(ROOT, space, {**variables, "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false"})
    (space / "workspace" / "joulemark.toml").write_text(FAST_ROUNDS.replace("0.3", "0.1"))
    return made


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runner, dict[str, Outcome]]:
    """Return what the action does on the main branch, on a change without effect, and on one with more work.

    The first use installs joulemark; no package is downloaded, since this environment has what it needs.
    """
    used = runner(tmp_path_factory.mktemp("action"))
    given = {"profile": "fast", "arguments": MEASURED, "threshold": EXACTLY}
    found = {"first": used.use(**given, save_baseline="true")}
    found["equal"] = used.use(**given, install="false")
    used.environment = {**used.environment, "LADEN_PRODUCTS": "3"}
    found["worse"] = used.use(**given, install="false")
    return used, found


@pytest.mark.slow
def test_the_first_run_becomes_the_baseline(outcomes):
    used, found = outcomes
    first = found["first"]
    assert (first.code, first.outputs["result"]) == (0, "no-baseline"), first.log
    assert "Successfully installed joulemark" in first.log
    assert "no baseline 'main'" in first.outputs["comment"]
    assert "| laden inference | PyTorch eager |" in first.summary, "the run itself is shown"
    (kept,) = (used.space / "cache").glob("*/content/*.json")
    assert kept.name == "main.json"


@pytest.mark.slow
def test_an_equal_run_passes_and_keeps_no_baseline(outcomes):
    used, found = outcomes
    equal = found["equal"]
    assert (equal.code, equal.outputs["result"]) == (0, "fine"), equal.log
    assert "Restore the baseline" in equal.ran
    assert {"Install", "Keep the run as the baseline", "Cache the baseline"}.isdisjoint(equal.ran)
    assert len(list((used.space / "cache").iterdir())) == 1


@pytest.mark.slow
def test_a_regression_fails_and_is_named_everywhere(outcomes):
    used, found = outcomes
    worse = found["worse"]
    assert (worse.code, worse.failed, worse.outputs["result"]) == (1, "Verdict", "regression"), worse.log
    named = "Regressed: laden:given/inference/pytorch/eager/cpu/fp32/b1: more work a step: operators "
    assert worse.outputs["comment"].startswith("<!-- joulemark -->\n")
    for text in (worse.outputs["comment"], worse.summary, worse.log):
        assert named in text
    artifact = used.space / "artifacts" / "0003-joulemark"
    page, run_file, comment = (Path(worse.outputs[name]) for name in ("page", "run-file", "comment-file"))
    assert {page.name, run_file.name, comment.name} <= {path.name for path in artifact.iterdir()}
    assert comment.read_text().rstrip("\n") == worse.outputs["comment"]
    assert "</html>" in page.read_text()


@pytest.mark.slow
def test_what_it_prints_is_no_command_to_the_runner(outcomes):
    _, found = outcomes
    lines = found["worse"].log.splitlines()
    (start,) = (i for i, line in enumerate(lines) if line.startswith("::stop-commands::"))
    word = lines[start].removeprefix("::stop-commands::")
    assert f"::{word}::" in lines[start:]
    assert [line for line in lines[:start] if line.startswith("::")] == []


HOSTILE = "$(touch stolen) `touch stolen`; touch stolen\n::error::stolen\nresult=fine"
QUOTED = '"; touch stolen; \'; touch stolen; "'
NAMES = ("profile", "arguments", "threshold", "frameworks", "baseline_python", "home", "python")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, HOSTILE) for name in NAMES),
        ("profile", QUOTED),
        ("arguments", QUOTED),
        ("arguments", "--size $(touch stolen)"),
    ],
)
def test_a_hostile_input_is_a_value_and_no_code(tmp_path: Path, name: str, value: str):
    used = runner(tmp_path)
    given = {"profile": "none", "install": "true" if name == "frameworks" else "false"}
    if name == "threshold":  # which is read before anything is measured only there
        given["baseline_python"] = "python"
    given[name] = value
    outcome = used.use(**given)
    assert outcome.code == 2, outcome.log
    assert outcome.outputs["result"] == ""
    assert list(tmp_path.rglob("stolen*")) == []


@pytest.mark.slow
def test_advice_does_not_fail_and_the_main_branch_needs_no_baseline(tmp_path: Path):
    """The last step alone: which codes of `check` fail the job."""
    (verdict,) = (step for step in STEPS if step.get("name") == "Verdict")
    codes = {}
    for advisory, saved in (("false", "false"), ("true", "false"), ("false", "true")):
        for code in ("0", "1", "3", "4"):
            variables = {"CODE": code, "RESULT": "any", "ADVISORY": advisory, "SAVED": saved}
            command = ["bash", "-e", "-c", verdict["run"]]
            done = subprocess.run(command, env=variables, capture_output=True, timeout=60, check=False)
            codes.setdefault((advisory, saved), []).append(done.returncode)
    assert codes == {("false", "false"): [0, 1, 3, 4], ("true", "false"): [0, 0, 3, 0], ("false", "true"): [0, 1, 0, 4]}


def test_inputs_reach_a_shell_as_variables_only():
    for step in STEPS:
        assert "${{" not in step.get("run", "")
    used = {name for step in STEPS for name in re.findall(r"inputs\.([\w-]+)", str(step))}
    assert used == set(ACTION["inputs"]), "no input is ignored"


def test_another_expression_is_refused(tmp_path: Path):
    made = Runner(ROOT, tmp_path, {})
    made.values = {"inputs.profile": "ci"}
    assert made.text("a ${{ inputs.profile }}") == "a ci"
    for expression in ("${{ github.event.head.ref }}", "${{ inputs.other }}", "${{ steps.none.outputs.x }}"):
        with pytest.raises(UnknownExpressionError):
            made.text(expression)


@pytest.mark.slow
def test_the_scripts_are_clean(tmp_path: Path):
    if (program := shutil.which("shellcheck")) is None:
        pytest.skip("shellcheck is not installed")
    for number, step in enumerate(STEPS):
        if "run" in step:
            (tmp_path / f"{number}.sh").write_text(step["run"])
    scripts = sorted(map(str, tmp_path.glob("*.sh")))
    done = subprocess.run([program, "--shell=bash", *scripts], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""


def test_the_page_names_every_input_and_output():
    text = (DOCS / "ci.md").read_text()
    table = text[text.index("| input |") :].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == list(ACTION["inputs"])
    for name in ACTION["outputs"]:
        assert f"`{name}`" in text
