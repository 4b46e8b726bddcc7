"""SIGTERM and SIGHUP interrupt as Ctrl-C does: once, at any time, and not where they are ignored."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib

import pytest
from command import environment
from places import ROOT

PROGRAM = """
import signal, sys, time
if sys.argv[1:]:
    signal.signal(signal.Signals[sys.argv[1]], signal.SIG_IGN)
from joulemark.suite.cli import stop_signals
stop_signals.install()
try:
    print("ready", flush=True)
    sys.stdin.read()
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.stdin.read()  # cleaning up
print("ended", flush=True)
"""


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_its_repetition_does_not_disturb_what_follows(how):
    process = start()
    process.send_signal(how)
    assert process.stdout is not None
    assert process.stdout.readline() == "interrupted\n"
    for again in (how, signal.SIGTERM):
        process.send_signal(again)
    assert process.communicate()[0] == "ended\n"
    assert process.returncode == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_ignored_signal_stays_ignored(how):
    """By nohup(1), or by a shell without job control."""
    process = start(how.name)
    process.send_signal(how)
    assert process.communicate()[0] == "ended\n"


DEFERRED = """
import signal, sys
from joulemark.suite.cli import stop_signals
stop_signals.install()
ours = signal.getsignal(signal.SIGTERM)
with stop_signals.deferred() as stop:
    assert not stop.wait(0.0)
    print("ready", flush=True)
    print(stop.wait(3600.0), stop.received, stop.wait(3600.0), flush=True)
    sys.stdin.read()  # keeping what there is to keep
assert signal.getsignal(signal.SIGTERM) is ours
print("ended", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_deferred_signal_ends_the_wait_and_interrupts_nothing(how):
    command = [sys.executable, "-c", DEFERRED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(how)
        assert process.stdout.readline() == "True True True\n"
        process.send_signal(how)
        assert process.communicate()[0] == "ended\n"
    assert process.returncode == 0


IMPORTING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # as from a terminal; a background job has it ignored
how, module, entry = int(sys.argv[1]), sys.argv[2], sys.argv[3]
sys.argv = ["joulemark", "list"]
sys.addaudithook(lambda event, values: os.kill(os.getpid(), how) if event == "import" and values[0] == module else None)
if entry == "module":
    import runpy
    runpy.run_module("joulemark", run_name="__main__")
else:
    from importlib.metadata import EntryPoint
    EntryPoint("joulemark", entry, "console_scripts").load()()
"""


def console_script() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["joulemark"]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["joulemark.suite.cli.app", "typer", "rich.console", "pydantic", "numpy"])
@pytest.mark.parametrize(
    ("how", "entry"), [(signal.SIGINT, "module"), (signal.SIGTERM, "script"), (signal.SIGHUP, "script")]
)
def test_a_signal_during_the_imports_is_one_line_at_most(tmp_path, how, entry, module):
    """The first tenth of a second, and the imports of a verb."""
    arguments = [str(int(how)), module, console_script() if entry == "script" else entry]
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORTING, *arguments],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr in ("", "joulemark: interrupted.\n")


AT_EXIT = """
import atexit, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
atexit.register(os.kill, os.getpid(), int(sys.argv[1]))
sys.argv = ["joulemark", *sys.argv[2:]]
from joulemark.__main__ import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "arguments"),
    [
        (signal.SIGINT, ["--version"]),
        (signal.SIGINT, ["show", "nothing"]),
        (signal.SIGTERM, ["show", "nothing"]),
        (signal.SIGHUP, ["show", "nothing"]),
    ],
)
def test_a_signal_while_the_interpreter_ends_is_silent(tmp_path, how, arguments):
    command = [sys.executable, "-P", "-c", AT_EXIT, str(int(how)), *arguments]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 130
    assert len(done.stderr.splitlines()) == (0 if arguments == ["--version"] else 1)
