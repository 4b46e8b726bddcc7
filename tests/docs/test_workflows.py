"""The workflows of docs/ci.md: their commands are run as they are, apart from the installation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from command import environment, joulemark
from places import DOCS

from joulemark.suite.results.export import FORMATS

WORKFLOWS = sorted((DOCS / "workflows").glob("*.yml"))

SETTINGS = """
framework = ["pytorch"]
sensor = ["simulated:rapl/constant"]
rounds = 2
threads = 1

[profiles.ci]
base = "ci"
workloads = ["matmul"]
size = "tiny"
window_s = 0.3
idle_s = 0.5
"""
"""Reduces the profile of the workflows to seconds; the commands stay as they are."""


@dataclass
class Runner:
    """The machine that runs a job: its workspace, environment variables and summary."""

    space: Path
    event: str
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> Path:
        return self.space / "summary.md"

    def run(self, workflow: Path, done: Collection[str] = ()) -> dict[str, int]:
        """Run the steps of a workflow, and return their exit codes by name.

        After a step that fails, only those with `if: always()` run. Steps in `done` are left out.
        """
        document = yaml.safe_load(workflow.read_text())
        (job,) = document["jobs"].values()
        codes: dict[str, int] = {}
        for step in job["steps"]:
            if "run" not in step or step["name"] in ("Install", "Install both states", *done):
                continue
            if not self._applies(step.get("if"), codes):
                continue
            codes[step["name"]] = self._step(step["run"], {**document.get("env", {}), **step.get("env", {})})
        return codes

    def _applies(self, condition: str | None, codes: Mapping[str, int]) -> bool:
        if condition == "always()":
            return True
        known = {None: True, f"github.event_name == '{self.event}'": True}
        return not any(codes.values()) and known.get(condition, False)

    def _step(self, script: str, given: Mapping[str, Any]) -> int:
        inside = {name: str(value).replace("${{ github.workspace }}", str(self.space)) for name, value in given.items()}
        path = f"{self.space / 'env-head' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        summary = {"GITHUB_STEP_SUMMARY": str(self.summary), "PATH": path}
        # As GitHub runs a step: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.space,
            env={**environment(self.space), **inside, **self.variables, **summary},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """Return a workspace after the installation: two environments with joulemark, and a project's settings file."""
    (tmp_path / "joulemark.toml").write_text(SETTINGS)
    for name in ("env-base", "env-head"):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / name)], check=True)
        (packages,) = (tmp_path / name).glob("lib/python*/site-packages")
        (packages / "all.pth").write_text("".join(f"{path}\n" for path in sys.path if path and Path(path).is_dir()))
        command = tmp_path / name / "bin" / "joulemark"
        command.write_text(f"#!{tmp_path}/{name}/bin/python -P\nfrom joulemark.suite.cli.app import main\nmain()\n")
        command.chmod(0o755)
    return tmp_path


@pytest.mark.slow
def test_gate_on_a_dedicated_machine(space: Path) -> None:
    """A push saves a baseline, and a pull request is checked against it. The device is the CPU here.

    To save time, the run of the pull request is that of the push under another id: it cannot have regressed.
    """
    (workflow,) = (path for path in WORKFLOWS if path.stem == "gpu-box")
    variables = {"JOULEMARK_HOME": str(space / "kept"), "DEVICE": "cpu"}
    push, pull = (Runner(space, event, variables) for event in ("push", "pull_request"))
    assert push.run(workflow) == {"Measure": 0, "Export the run": 0, "Save as the baseline": 0}
    assert ElementTree.parse(space / "results" / "joulemark.xml").getroot().get("failures") == "0"
    assert "matmul:tiny" in (space / "results" / "joulemark.csv").read_text()
    (kept,) = (space / "kept" / "runs").glob("*.json")
    later = kept.with_name("29990101T000000Z-ffff.json")
    later.write_text(kept.read_text().replace(kept.stem, later.stem))
    done = ["Measure", "Export the run"]
    codes = pull.run(workflow, done)
    assert list(codes) == ["Check against the baseline"]
    assert codes["Check against the baseline"] in (0, 4), "two very short rounds may be inconclusive"
    assert f"{later.stem} against the baseline {kept.stem}" in pull.summary.read_text()
    (baseline,) = (space / "kept" / "baselines").iterdir()
    baseline.unlink()
    assert pull.run(workflow, done) == {"Check against the baseline": 3}


@pytest.mark.slow
def test_gate_on_a_shared_runner(space: Path) -> None:
    """Two equal environments are measured turn by turn and compared. After so short a time, any verdict is possible."""
    (workflow,) = (path for path in WORKFLOWS if path.stem == "shared-runner")
    runner = Runner(space, "pull_request", {"MAX_ROUNDS": "2"})
    codes = runner.run(workflow)
    assert list(codes) == ["Measure and check"]
    assert codes["Measure and check"] in (0, 1, 4)
    assert "matmul:tiny" in runner.summary.read_text()
    assert len(list((space / "joulemark" / "runs").glob("*.json"))) == 1


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_is_complete_and_linked(workflow: Path) -> None:
    document = yaml.safe_load(workflow.read_text())
    assert document.keys() >= {"name", True, "permissions", "jobs"}  # YAML 1.1 reads `on` as true
    assert document["permissions"] == {"contents": "read"}
    (job,) = document["jobs"].values()
    assert job.keys() >= {"runs-on", "timeout-minutes", "steps"}
    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step)
        assert "name" in step or "uses" in step
    assert f"(workflows/{workflow.name})" in (DOCS / "ci.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["bisect.md", "ci.md", "pytest.md"])
def test_links_and_options_in_the_page_exist(tmp_path: Path, page: str) -> None:
    text = (DOCS / page).read_text()
    for link in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (DOCS / link).exists(), link
    verbs = ("run", "check", "export", "baseline", "calibrate", "doctor", "history", "measure")
    known = "".join(joulemark(tmp_path, verb, "--help").stdout for verb in verbs if f"joulemark {verb}" in text)
    plugin = (DOCS.parent / "joulemark" / "pytest_plugin" / "__init__.py").read_text()
    foreign = {"--lock-gpu-clocks"}
    for option in set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)) - foreign:
        if not option.startswith("--benchmark-"):
            assert option in known or f'"{option}"' in plugin, option


def test_every_export_format_is_in_the_page() -> None:
    text = (DOCS / "ci.md").read_text()
    table = text[text.index("| format |") :].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.M) == list(FORMATS)
