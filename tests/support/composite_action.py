"""A composite action, run as GitHub's runner does: its `run` steps by bash, in order, with the files that they get.

Expressions are read from what they are: inputs, outputs of steps, and a few facts of the runner; any other is refused.
Actions of others are replaced by what they do on one machine: a cache and artifacts are folders.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
CONDITION = re.compile(r"(\S+) (==|!=) '([^']*)'")


class UnknownExpressionError(Exception):
    """An expression that GitHub may know, and this runner does not."""


@dataclass
class Outcome:
    """What one use of the action did."""

    code: int = 0
    """Exit code of the first step that failed; 0 if none did."""
    failed: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    log: str = ""
    ran: list[str] = field(default_factory=list)
    """Names of the steps that ran, or what they use."""


@dataclass
class Runner:
    """A machine and what GitHub keeps for the repository: each use of the action starts with an empty folder `temp`."""

    action: Path
    """The folder of the action, with its `action.yml`."""
    space: Path
    environment: Mapping[str, str]
    """Variables of the job."""
    uses: int = 0

    def __post_init__(self) -> None:
        self.document: dict[str, Any] = yaml.safe_load((self.action / "action.yml").read_text())
        assert self.document["runs"]["using"] == "composite"
        for name in ("workspace", "cache", "artifacts"):
            (self.space / name).mkdir(exist_ok=True)

    def use(self, **given: str) -> Outcome:
        """Run the action with inputs, `_` in their names for `-`."""
        self.uses += 1
        self.temp = self.space / f"temp-{self.uses}"
        self.temp.mkdir()
        declared = {name: str(entry.get("default", "")) for name, entry in self.document["inputs"].items()}
        inputs = {name.replace("_", "-"): value for name, value in given.items()}
        assert inputs.keys() <= declared.keys()
        self.values = {f"inputs.{name}": value for name, value in {**declared, **inputs}.items()}
        self.values |= {"runner.os": "Linux", "github.run_id": str(1000 + self.uses), "github.run_attempt": "1"}
        outcome = Outcome()
        for number, step in enumerate(self.document["runs"]["steps"]):
            if self._applies(step.get("if"), outcome.failed is None):
                self._step(number, step, outcome)
        outputs = self.document["outputs"]
        outcome.outputs = {name: self.text(entry["value"]) for name, entry in outputs.items()}
        return outcome

    def text(self, template: object) -> str:
        """Return `template` with its expressions replaced."""
        return EXPRESSION.sub(lambda match: self.value(match[1].strip()), str(template))

    def value(self, expression: str) -> str:
        """Return the value of an expression; that of an output of a step that has not run is empty, as on GitHub."""
        if expression in self.values:
            return self.values[expression]
        match = re.fullmatch(r"steps\.([\w-]+)\.outputs\.[\w-]+", expression)
        if match is None or match[1] not in {step.get("id") for step in self.document["runs"]["steps"]}:
            raise UnknownExpressionError(expression)
        return ""

    def _applies(self, condition: str | None, successful: bool) -> bool:
        parts = condition.split(" && ") if condition is not None else []
        always = "always()" in parts
        for part in parts:
            if part == "always()":
                continue
            match = CONDITION.fullmatch(part)
            if match is None:
                raise UnknownExpressionError(part)
            if (self.value(match[1]) == match[3]) != (match[2] == "=="):
                return False
        return always or successful

    def _step(self, number: int, step: dict[str, Any], outcome: Outcome) -> None:
        outcome.ran.append(step.get("name") or step["uses"])
        if "uses" in step:
            action, _, version = step["uses"].partition("@")
            assert re.fullmatch(r"v\d+", version)
            given = {name: self.text(value) for name, value in step.get("with", {}).items()}
            REPLACED[action](self, given)
            return
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expression there would become code"
        script = self.temp / f"step-{number}.sh"
        script.write_text(step["run"])
        files = {name: self.temp / f"{name}-{number}" for name in ("output", "env", "path", "step_summary")}
        for path in files.values():
            path.touch()
        done = subprocess.run(
            # https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.space / "workspace",
            env={
                **self.environment,
                **{name: self.text(value) for name, value in step.get("env", {}).items()},
                **{f"GITHUB_{name.upper()}": str(path) for name, path in files.items()},
                "GITHUB_ACTION_PATH": str(self.action),
                "GITHUB_WORKSPACE": str(self.space / "workspace"),
                "RUNNER_TEMP": str(self.temp),
                "RUNNER_OS": "Linux",
            },
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert files["env"].read_text() == files["path"].read_text() == "", "these are not passed on here"
        outcome.log += done.stdout + done.stderr
        outcome.summary += files["step_summary"].read_text()
        if "id" in step:
            self.values |= {f"steps.{step['id']}.outputs.{name}": value for name, value in _outputs(files["output"])}
        if done.returncode and outcome.failed is None:
            outcome.code, outcome.failed = done.returncode, outcome.ran[-1]


def _outputs(path: Path) -> list[tuple[str, str]]:
    """Return the outputs in a file of `NAME=VALUE` and `NAME<<WORD`, lines, `WORD`."""
    lines = iter(path.read_text().splitlines())
    found = []
    for line in lines:
        if match := re.fullmatch(r"([\w-]+)<<(\S+)", line):
            value = []
            for text in lines:
                if text == match[2]:
                    break
                value.append(text)
            else:
                raise AssertionError(f"{match[1]} has no end")
            found.append((match[1], "\n".join(value)))
        else:
            name, equals, text = line.partition("=")
            assert equals, line
            found.append((name, text))
    return found


def _restore(runner: Runner, given: Mapping[str, str]) -> None:
    """Copy what is kept under the key, or the latest whose key begins with a restore key, to its path."""
    kept = sorted((runner.space / "cache").iterdir(), key=lambda folder: folder.name.partition(" ")[0])
    keys = {folder: (folder / "key").read_text() for folder in kept}
    for prefix in (given["key"], *given.get("restore-keys", "").splitlines()):
        if found := [folder for folder in kept if keys[folder].startswith(prefix)]:
            shutil.copytree(found[-1] / "content", given["path"], dirs_exist_ok=True)
            return


def _save(runner: Runner, given: Mapping[str, str]) -> None:
    folder = runner.space / "cache" / f"{runner.uses:04}"
    shutil.copytree(given["path"], folder / "content")
    (folder / "key").write_text(given["key"])


def _upload(runner: Runner, given: Mapping[str, str]) -> None:
    shutil.copytree(given["path"], runner.space / "artifacts" / f"{runner.uses:04}-{given['name']}", dirs_exist_ok=True)


REPLACED = {
    "actions/cache/restore": _restore,
    "actions/cache/save": _save,
    "actions/upload-artifact": _upload,
    "actions/setup-python": lambda runner, given: None,
}
"""What other actions do, by name: the Python of the test stays as it is."""
