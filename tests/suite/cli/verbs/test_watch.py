"""`joulemark watch` as a user has it: lines, the terminal, signals, exports, and what cannot be."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess

import psutil
import pytest
from command import COMMAND, environment, in_terminal, joulemark, start, wait_for
from powercap import FakeZone, build
from prometheus_server import wait_until

pytestmark = pytest.mark.slow

QUICK = ("watch", "--offline", "--zone", "CH", "--interval", "0.2")
TIMEOUT_S = 120
LINE = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ  \S+ \S*W, \S+ \S*J, \S+ \S*g  \(package-0 .*\)")


@pytest.fixture(scope="module")
def rapl(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a machine with a counter that stands still."""
    root = build(tmp_path_factory.mktemp("tree"), [FakeZone("intel-rapl:0", "package-0")])
    return {"JOULEMARK_POWERCAP_ROOT": str(root)}


def test_piped_it_prints_a_line_each_interval_and_a_summary(tmp_path, rapl):
    done = joulemark(tmp_path, *QUICK, "--sensor", "rapl", "--duration", "1", variables=rapl)
    assert done.returncode == 0, done.stderr
    *lines, summary = done.stdout.splitlines()
    assert lines
    assert all(LINE.fullmatch(line) for line in lines), done.stdout
    assert re.fullmatch(r"≥0 J \(package-0 0 J\), ≥0 g CO2e, ≥0 W on average, \S+ s; not measured: dram: .*", summary)
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_summary(tmp_path, rapl, number):
    process = start(tmp_path, *QUICK, "--sensor", "rapl", **rapl)
    try:
        assert LINE.fullmatch(process.stdout.readline().strip())
        (sampler,) = psutil.Process(process.pid).children()
        process.send_signal(number)
        out, errors = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    assert (process.returncode, errors) == (130, "")
    assert "on average" in out.splitlines()[-1]
    assert not sampler.is_running()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_without_sensors_it_estimates_and_says_so(tmp_path):
    done = joulemark(tmp_path, *QUICK, "--duration", "0.6", "--json", variables={"JOULEMARK_POWERCAP_ROOT": "/none"})
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    counted = [each for each in document["components"] if each["counted"]]
    # The start waits for the processor's first value, which is the mean of a span before it.
    assert counted
    assert {each["unmeasured_s"] for each in counted} == {0}
    assert document["estimated"] is not any(c["source"] == "measured" and c["counted"] for c in document["components"])
    assert document["intensity"]["zone"] == "CH"


def test_in_a_narrow_terminal_and_without_colour(tmp_path, rapl):
    options = (*QUICK, "--sensor", "rapl", "--duration", "1")
    text = in_terminal(tmp_path, 60, *options, variables={**rapl, "NO_COLOR": "1"})
    assert re.search(r"package-0", text)
    assert "Processor, by CPU time" in text
    assert not re.search(r"\x1b\[(?:\d+;)*(?:3|4|9|10)\d[;m]", text)  # SGR parameters of colours (ECMA-48, 8.3.117)
    lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text).replace("\r", "\n").splitlines()
    assert max(len(line.rstrip()) for line in lines if "on average" not in line) <= 60
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # the cursor is back


def test_the_textfile_is_there_meanwhile_and_the_port_is_on_loopback(tmp_path, rapl):
    path = tmp_path / "joulemark.prom"
    process = start(tmp_path, *QUICK, "--sensor", "rapl", "--serve", "0", "--textfile", str(path), **rapl)
    try:
        wait_for(process, "Metrics: ")
        wait_until(path.exists, "no file was written")
        assert 'joulemark_energy_joules_total{component="package"' in path.read_text()
        (listening,) = (c for c in psutil.Process(process.pid).net_connections() if c.status == psutil.CONN_LISTEN)
        assert (listening.family, listening.laddr.ip) == (socket.AF_INET, "127.0.0.1")
        process.terminate()
        out, _ = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    assert len(out.splitlines()) == 1  # the summary: nothing else is shown where it is exported
    assert not path.exists()


def test_served_to_the_network_it_warns_and_a_taken_port_is_one_line(tmp_path, rapl):
    process = start(tmp_path, *QUICK, "--sensor", "rapl", "--serve", "0.0.0.0:0", **rapl)
    try:
        port = re.fullmatch(r"Metrics: http://0\.0\.0\.0:(\d+)/metrics\n", process.stderr.readline())[1]
        assert "no password" in process.stderr.readline()
        done = joulemark(tmp_path, *QUICK, "--sensor", "rapl", "--serve", port, variables=rapl)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert f"cannot listen on port {port} of 127.0.0.1: Address already in use" in done.stderr
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)


def test_a_lost_sampler_ends_it_with_one_line(tmp_path, rapl):
    process = start(tmp_path, *QUICK, "--sensor", "rapl", **rapl)
    try:
        process.stdout.readline()
        (sampler,) = psutil.Process(process.pid).children()
        sampler.kill()
        _, errors = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    assert process.returncode == 4
    assert errors == "joulemark: the power sampler has ended: nothing is measured any more. Start again.\n"


def test_a_reader_that_goes_away_ends_it(tmp_path, rapl):
    process = subprocess.Popen(
        [*COMMAND, *QUICK, "--sensor", "rapl"],
        env=environment(tmp_path, **rapl),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=TIMEOUT_S) == 141
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.stderr.close()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--serve", "x"], "--serve got 'x'"),
        (["--serve", "70000"], "--serve got '70000'"),
        (["--serve", ":9877"], "--serve got ':9877'"),
        (["--pid", "x=y"], "--pid got 'x=y'"),
        (["--pid", f"a={os.getpid()}", "--pid", f"a={os.getpid()}"], "the name 'a' twice"),
        (["--pid", f"idle={os.getpid()}"], "the name 'idle'"),
        (["--pid", "2147483647"], "there is no such process"),
        (["--interval", "nan"], "--interval got nan"),
        (["--interval", "0.01"], "--interval got 0.01"),
        (["--duration", "-1"], "--duration got -1"),
        (["--textfile", "here.txt"], "end in .prom"),
        (["--textfile", "no/such/x.prom"], "'no/such' is not a folder"),
        (["--sensor", "crystal"], "'crystal'"),
        (["--zone", "XQ"], "'XQ'"),
    ],
)
def test_bad_usage_is_one_line(tmp_path, rapl, arguments, words):
    done = joulemark(tmp_path, "watch", "--offline", "--sensor", "rapl", *arguments, variables=rapl)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
