"""The magics and displays in a real kernel: a notebook that nbclient executes, and a cell that is interrupted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import environment
from environments import require
from run_files import run_file
from simulated_meter import SENSOR
from tracked import imported

import joulemark
from joulemark.suite.records import write

require("ipykernel", "nbclient", "IPython", "pandas")
pytestmark = pytest.mark.slow

TIMEOUT_S = 300
CELLS = {
    "load": "%load_ext joulemark\nimport joulemark, time",
    "cell": f"""%%joulemark --zone CH --name "my cell" --sensor {SENSOR} -o measured
time.sleep(0.1)
answer = 42
answer""",
    "silent": f"%%joulemark --zone CH --sensor {SENSOR}\nanswer;",
    "numbers": "print(measured.energy.value, measured.emissions.value, measured.intensity['zone'], answer)",
    "line": f"""%joulemark --zone CH --sensor={SENSOR} len("a '{{b}}' # c")""",
    "in a function": f"""
def twice(number):
    %joulemark --quiet --sensor {SENSOR} number * 2
    return number
twice(4)""",
    "magic in it": f"""%%joulemark --sensor {SENSOR} --quiet
%env PROBE=1
import os; os.environ["PROBE"]""",
    "save": f"%%joulemark --sensor {SENSOR} --save saved.json --items 5 --item image --quiet\ntime.sleep(0.05)",
    "error": f"%%joulemark --sensor {SENSOR}\ntime.sleep(0.05)\nafter = 1 / 0",
    "syntax": f"%%joulemark --sensor {SENSOR}\nif",
    "zone": f"%%joulemark --zone ATLANTIS --offline --sensor {SENSOR}\nran = True",
    "option": "%%joulemark --zoen CH\nran = True",
    "nothing ran": "'ran' in globals()",
    "run": "joulemark.read('run.json')",
    "frame": "frame = joulemark.read('run.json').to_pandas(); print(frame.shape)",
    "measurement": "measured",
}


class Executed:
    """A notebook that was executed, and its kernel, which still lives."""

    def __init__(self, manager: Any, folder: Path) -> None:
        from nbclient import NotebookClient
        from nbformat import v4

        self.manager = manager
        self.folder = folder
        self.cells = {
            name: v4.new_code_cell(code, metadata={"tags": ["raises-exception"]}) for name, code in CELLS.items()
        }
        self.notebook = v4.new_notebook(cells=list(self.cells.values()))
        client = NotebookClient(self.notebook, km=manager, timeout=TIMEOUT_S)
        client.execute()
        client.kc.stop_channels()  # which it does only with a kernel that it has started

    def outputs(self, name: str, kind: str) -> list[Any]:
        return [each for each in self.cells[name].outputs if each.output_type == kind]

    def html(self, name: str, kind: str = "display_data") -> str:
        (output,) = self.outputs(name, kind)
        return output.data["text/html"]

    def printed(self, name: str) -> str:
        return "".join(each.text for each in self.outputs(name, "stream"))

    def error(self, name: str) -> Any:
        (output,) = self.outputs(name, "error")
        return output


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executed]:
    folder = tmp_path_factory.mktemp("notebook")
    write(run_file(), folder / "run.json")
    imported("nbclient")
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    variables = {
        **environment(folder),
        "PYTHONPATH": str(Path(joulemark.__file__).parents[1]),
        "IPYTHONDIR": str(folder),
    }
    manager.start_kernel(cwd=str(folder), env=variables)
    try:
        yield Executed(manager, folder)
    finally:
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def test_a_cell_is_measured_and_has_its_value(executed: Executed) -> None:
    (result,) = executed.outputs("cell", "execute_result")
    assert result.data["text/plain"] == "42"
    joules, grams, zone, answer = executed.printed("numbers").split()
    assert (zone, answer) == ("CH", "42")
    assert float(joules) > 0
    assert float(grams) == pytest.approx(float(joules) / 3.6e6 * 39.22)
    shown = executed.html("cell")
    assert "package" in shown
    assert "CO₂e" in shown
    (display,) = executed.outputs("cell", "display_data")
    assert display.data["text/plain"].startswith("at least ")
    assert executed.html("measurement", "execute_result") == shown


def test_a_semicolon_hides_the_value_and_not_the_measurement(executed: Executed) -> None:
    assert executed.outputs("silent", "execute_result") == []
    assert "package" in executed.html("silent")


def test_a_line_is_measured_and_has_its_value(executed: Executed) -> None:
    (result,) = executed.outputs("line", "execute_result")
    assert result.data["text/plain"] == str(len("a '{b}' # c"))
    assert "package" in executed.html("line")
    (result,) = executed.outputs("in a function", "execute_result")
    assert result.data["text/plain"] == "4"


def test_other_magics_work_within_the_cell(executed: Executed) -> None:
    (result,) = executed.outputs("magic in it", "execute_result")
    assert result.data["text/plain"] == "'1'"
    assert executed.outputs("magic in it", "display_data") == []


def test_a_run_file_is_saved(executed: Executed) -> None:
    (case,) = joulemark.read(executed.folder / "saved.json").cases
    assert (case.item, case.trials[0].items) == ("image", 5)


def test_an_exception_is_raised_as_usual_after_the_measurement_until_then(executed: Executed) -> None:
    kinds = [each.output_type for each in executed.cells["error"].outputs]
    assert kinds == ["display_data", "error"]
    assert "package" in executed.html("error")
    error = executed.error("error")
    assert error.ename == "ZeroDivisionError"
    traceback = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error.traceback))
    assert "after = 1 / 0" in traceback  # the user's line
    assert "magic.py" not in traceback  # and none of ours


def test_what_is_wrong_is_said_before_anything_runs(executed: Executed) -> None:
    assert executed.error("syntax").ename == "SyntaxError"
    assert executed.outputs("syntax", "display_data") == []
    assert executed.printed("zone").count("\n") == 1
    assert "ATLANTIS" in executed.printed("zone")
    assert "zoen" in executed.printed("option")
    (result,) = executed.outputs("nothing ran", "execute_result")
    assert result.data["text/plain"] == "False"


def test_a_run_is_a_table_and_a_plot(executed: Executed) -> None:
    shown = executed.html("run", "execute_result")
    assert shown.count("<tr>") == 3  # a head and two cases
    assert "cnn:small/training/tensorflow/graph/cpu/fp32/b32" in shown
    assert shown.count("<circle") == 2
    (result,) = executed.outputs("run", "execute_result")
    assert len(result.data["text/plain"]) < 400  # and not the samples of its traces
    assert executed.printed("frame").startswith("(2, ")


def test_an_interrupt_shows_the_measurement_until_then(executed: Executed) -> None:
    client = executed.manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT_S)
        code = f"%%joulemark --zone CH --sensor {SENSOR}\nprint('begun', flush=True)\ntime.sleep(600)"
        sent = client.execute(code)
        shown = []
        while (message := client.get_iopub_msg(timeout=TIMEOUT_S))["msg_type"] != "error":
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "stream" and "begun" in message["content"]["text"]:
                executed.manager.interrupt_kernel()
            if message["msg_type"] == "display_data":
                shown.append(message["content"]["data"]["text/html"])
        assert message["content"]["ename"] == "KeyboardInterrupt"
        (measurement,) = shown
        assert "package" in measurement
    finally:
        client.stop_channels()


def test_the_notebook_names_no_file_of_the_network(executed: Executed) -> None:
    """Displays load nothing: neither scripts nor fonts nor images."""
    for cell in executed.notebook.cells:
        for output in cell.outputs:
            shown = output.get("data", {}).get("text/html", "").replace('xmlns="http://www.w3.org/2000/svg"', "")
            assert not re.search(r"https?:|<script|<link|<img|url\(", shown)
    if folder := os.environ.get("JOULEMARK_TEST_NOTEBOOK"):
        from nbformat import write as write_notebook

        write_notebook(executed.notebook, folder)
