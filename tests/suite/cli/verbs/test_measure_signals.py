"""`joulemark measure -- COMMAND`: signals go to the command, and a kill loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import COMMAND, environment, joulemark
from measured_command import QUICK, saved_run

from joulemark.suite.results.assemble import assemble

pytestmark = pytest.mark.slow

# Signals are waited for, not handled: a handler that prints while the main program prints raises ("reentrant call").
TRAP = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM, signal.SIGINT])
print("ready", flush=True)
while True:
    number = signal.sigwait([signal.SIGUSR1, signal.SIGTERM, signal.SIGINT])
    print(signal.Signals(number).name, flush=True)
    if number != signal.SIGUSR1:
        sys.exit(9)
"""


def start_measure(home: Path, program: str) -> subprocess.Popen[str]:
    """Start `measure`, and return once its command has printed "ready"."""
    process = subprocess.Popen(
        [*COMMAND, *QUICK, "--", sys.executable, "-c", program],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("last", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_passed_on(tmp_path, last):
    process = start_measure(tmp_path, TRAP)
    process.send_signal(signal.SIGUSR1)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "SIGUSR1\n", process.communicate(timeout=300)
    process.send_signal(last)
    out, errors = process.communicate(timeout=300)
    assert out == f"{last.name}\n"
    assert process.returncode == 9, errors
    assert "exit code 9" in saved_run(tmp_path).cases[0].trials[0].reason


def test_the_exit_code_of_a_killed_command_is_a_shell_s(tmp_path):
    done = joulemark(tmp_path, *QUICK, "--rounds", "3", "--", "sh", "-c", "kill -KILL $$")
    assert done.returncode == 128 + signal.SIGKILL
    run_file = saved_run(tmp_path)
    assert [trial.reason_code for trial in run_file.cases[0].trials] == ["killed"]
    assert not run_file.run.complete


TERMINAL = """
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
output = b""
while True:
    try:
        block = os.read(terminal, 4096)
    except OSError:                      # Linux: no process has the terminal open any more
        break
    output += block
    if b"ready" in block:
        os.kill(pid, signal.SIGSTOP)     # else a second interrupt could merge with the first, still pending
        os.write(terminal, b"\\x03")      # Ctrl-C
    if b"SIGINT" in block:
        os.kill(pid, signal.SIGCONT)
os.write(1, output)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


COUNT_INTERRUPTS = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print("ready", flush=True)
signal.sigwait([signal.SIGINT])
print("SIGINT", flush=True)
while signal.sigtimedwait([signal.SIGINT], 2.0):
    print("SIGINT", flush=True)
sys.exit(9)
"""


def test_ctrl_c_on_a_terminal_reaches_the_command_once(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TERMINAL, *COMMAND, *QUICK, "--", sys.executable, "-c", COUNT_INTERRUPTS],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 9, done.stdout
    assert done.stdout.count("SIGINT") == 1
    assert "exit code 9" in done.stdout


UNTIL_ITS_PARENT_ENDS = """
import os, time
parent = os.getppid()
print("ready", flush=True)
while os.getppid() == parent:
    time.sleep(0.05)
"""


def test_the_journal_of_a_killed_measure_can_be_read(tmp_path):
    process = start_measure(tmp_path, UNTIL_ITS_PARENT_ENDS)
    process.kill()
    process.communicate(timeout=300)
    (journal,) = (tmp_path / "runs").glob("*.journal")
    run_file = assemble(journal)
    assert not run_file.run.complete
    assert run_file.traces[0].t_s
    assert os.path.exists(journal)


AFTER_COMMAND = """
import os, signal, sys
how = int(sys.argv[1])
sys.argv = ["joulemark", *sys.argv[2:]]
has_run = False
def hook(event, values):
    global has_run
    has_run = has_run or event == "os.posix_spawn"
    if has_run and event == "open" and values[0] == "/proc/stat":  # the machine's CPU time, once the command has ended
        has_run = False
        os.kill(os.getpid(), how)
sys.addaudithook(hook)
signal.signal(signal.SIGINT, signal.default_int_handler)
from joulemark.suite.cli.app import main
main()
"""


@pytest.mark.parametrize(("rounds", "code"), [(1, 0), (3, 130)])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_once_the_command_has_ended_keeps_what_is_measured(tmp_path, how, rounds, code):
    done = subprocess.run(
        [sys.executable, "-P", "-c", AFTER_COMMAND, str(int(how)), *QUICK, "--rounds", str(rounds), "--", "true"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr
    run_file = saved_run(tmp_path)
    assert len(run_file.cases[0].trials) == 1
    assert run_file.run.complete is (rounds == 1)
    assert ("Measure it again" in done.stderr) is (rounds == 3)
    assert {path.suffix for path in (tmp_path / "runs").iterdir()} == {".json"}
