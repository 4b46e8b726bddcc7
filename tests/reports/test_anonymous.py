"""What an anonymous page leaves out, and what it keeps."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import pytest
from report_files import full
from run_files import machine, trace

from joulemark.reports.anonymous import HIDDEN, anonymous, anonymous_options
from joulemark.reports.html import render
from joulemark.reports.markdown import render_markdown
from joulemark.reports.model import build
from joulemark.suite.notices import Code
from joulemark.suite.records import Gpu, Notice, RunFile

PLANTED: dict[str, tuple[str, str]] = {
    # What must not go out, by where it is: the dotted path of a field (* is all of a list), and the text there.
    "jane": ("settings.sensor", "replay:/home/jane/trace"),
    "ACMEMETER": ("settings.sensor", "meter:/srv/ACMEMETER"),
    "ACMECOLON": ("run.environment.LD_PRELOAD", "/opt/a.so:/opt/ACMECOLON/b.so"),
    "ACMEFILE": ("cases.*.notices.0.message", "read file:///srv/ACMEFILE/x"),
    "ACMENET": ("cases.*.trials.*.environment.x", "//net/ACMENET/p"),
    "ACMEUNC": ("notices.0.message", "\\\\server\\ACMEUNC"),
    "ACMEBLANK": ("run.command", "/srv/a b/ACMEBLANK dir/x"),
    "ACMEHOST": ("settings.keyword", "ACMEHOST and matmul"),
    "ACMEKEY": ("run.environment.ACMEKEY_/home/jane", "1"),
    "hunter2secret": ("run.command", "--password=hunter2secret"),
    "pw123": ("run.command", "https://jane:pw123@host/data"),
    "10.11.12.13": ("emissions.intensity.reason", "no route to 10.11.12.13"),
    "2001:db8": ("emissions.intensity.method", "via [2001:db8::7]"),
    "ENVSECRET": ("run.environment.TORCH_API_TOKEN", "tok-ENVSECRET"),
    "eth-acme0": ("run.environment.NCCL_SOCKET_IFNAME", "eth-acme0"),
    "47.376887": ("settings.coordinates", "47.376887,8.541694"),
    "00:1b:44:11:3a:b7": ("cases.0.trials.0.reason", "link 00:1b:44:11:3a:b7 is down"),
    "acme-bucket": ("settings.intensity", "s3://acme-bucket/grid.csv"),
    "ACMEPKG": ("machine.packages.acme-ACMEPKG", "1.0"),
    "ACMEVERSION": ("machine.frameworks.pytorch.version", "2.9.0+ACMEVERSION"),
    "ACMEBUILD": ("machine.frameworks.pytorch.build", "cuda 12.8 by ACMEBUILD"),
    "ACMEBROKEN": ("machine.frameworks.tensorflow.broken_reason", "ImportError: libACMEBROKEN.so"),
    "ACMECPU": ("machine.cpu.model", "Intel(R) Xeon(R) of ACMECPU"),
    "ACMEGPU": ("machine.gpus.0.name", "NVIDIA H200 of ACMEGPU"),
    "5e0d7c11": ("machine.gpus.0.uuid", "GPU-5e0d7c11-2222-3333-4444-555555555555"),
    "acmecorp": ("machine.os", "Linux 6.8.0-acmecorp-prod"),
    "ACMECLOUD": ("machine.virtual", "ACMECLOUD vm"),
    "ACMESOURCE": ("traces.0.channels.0.source", "read at D:\\ACMESOURCE\\x"),
    "437X18": ("traces.0.channels.0.identity", "437X18"),
    "ACMENET2": ("cases.0.workload", "ACMENET2"),
    "ACMESIZE": ("cases.0.size", "ACMESIZE"),
    "ACMEITEM": ("cases.0.item", "ACMEITEM"),
    "ACMEPROFILE": ("run.profile", "ACMEPROFILE"),
    "ACMEINTERPRETER": ("settings.python.pytorch", "/opt/ACMEINTERPRETER/bin/python"),
    "ACMECENTER": ("settings.data_center", "acme:ACMECENTER"),
    "ACMEPUE": ("emissions.pue.source", "measured by ACMEPUE"),
    "ACMETOOL": ("second_opinion.differences", "cpu: 1.1 times ours in ACMETOOL"),
    "ACMEOUTPUT": ("cases.0.trials.0.result.first.ACMEOUTPUT", "2.0"),
    "jane@acme.example": ("cases.0.notices.0.value", "ask jane@acme.example"),
    "+41 44 668 18 00": ("cases.0.notices.0.remedy", "call +41 44 668 18 00"),
    "90962730": ("run.segments.0.boot_id", "90962730-f9ed-42ee-ac5e-49077b14c2dd"),
    "janebox": ("machine.hostname", "janebox"),
}


def plant(document: Any, path: list[str], text: str) -> None:
    """Put `text` at a path of the document; where there is a list, at its end."""
    step, *rest = path
    if step == "*":
        for item in document:
            plant(item, rest, text)
    elif rest:
        following = document[int(step)] if isinstance(document, list) else document.setdefault(step, {})
        plant(following, rest, text)
    elif isinstance(document, dict) and isinstance(document.get(step), list):
        document[step].append(text)
    else:
        document[int(step) if isinstance(document, list) else step] = float(text) if text == "2.0" else text


@pytest.fixture(scope="module")
def planted() -> RunFile:
    """A run with every planted text in it."""
    gpu = Gpu(index=0, vendor="NVIDIA", name="x", uuid="x", pci_bus_id="0000:01:00.0", device="cuda:0")
    host = machine()
    host = host.model_copy(update={"gpus": (gpu,), "hostname": "janebox"})
    notice = Notice.of(Code.ENVIRONMENT_KEPT, "LD_PRELOAD")
    run = full(machine=host, notices=(notice,), traces=(trace(),))
    run = run.model_copy(update={"cases": tuple(c.model_copy(update={"notices": (notice,)}) for c in run.cases)})
    document = json.loads(run.model_dump_json())
    for path, text in PLANTED.values():
        plant(
            document, path.split(".") if "ACMEKEY" not in path else ["run", "environment", "ACMEKEY_/home/jane"], text
        )
    return RunFile.model_validate(document)


def texts_of(page: str) -> str:
    """Return a page with the run files that it embeds."""
    packed = re.findall(r">([A-Za-z0-9+/=\s]{400,})<", page)
    return "\n".join([page, *(gzip.decompress(base64.b64decode(each)).decode() for each in packed)])


@pytest.mark.slow
def test_none_of_the_planted_texts_goes_out(planted: RunFile) -> None:
    options = ["--coordinates", "47.376887,8.541694", "--intensity", "/home/jane/ACMEFILE.csv", "--pue", "1.2"]
    page = texts_of(render([planted], "cdn", anonymous=True, recomputed=options))
    assert page.count('"schema_version"') == 1
    report = build([planted], anonymous=True)
    written = "\n".join([page, render_markdown([planted], anonymous=True), repr(report), repr(anonymous([planted]))])
    assert len(PLANTED) >= 30
    assert [secret for secret in PLANTED if secret.lower() in written.lower()] == []
    assert [secret for secret in PLANTED if secret.lower() in texts_of(render([planted], "cdn")).lower()] != []


def test_options_keep_their_numbers() -> None:
    assert anonymous_options(["--zone", "CH", "--pue", "1.2", "--intensity", "/x/y.csv"]) == [
        "--zone", "CH", "--pue", "1.2", "--intensity", HIDDEN,
    ]  # fmt: skip


def test_cases_keep_their_number_and_differ(planted: RunFile) -> None:
    """Names of one's own become numbers, the same in all runs."""
    (once, twice) = anonymous([planted, planted])
    assert len({case.id for case in once.cases}) == len(planted.cases)
    assert [case.id for case in once.cases] == [case.id for case in twice.cases]
    assert once.cases[0].workload.startswith("own-")
    assert once.cases[0].id.startswith(once.cases[0].workload + ":")


def test_own_words_and_numbers_stay() -> None:
    notice = Notice.of(Code.ENVIRONMENT_KEPT, "OMP_NUM_THREADS, LD_PRELOAD")
    run = full(notices=(notice,))
    (hidden,) = anonymous([run])
    assert hidden.cases == run.cases
    assert hidden.notices == run.notices
    assert hidden.emissions == run.emissions
    assert hidden.machine.cpu == run.machine.cpu
    assert hidden.machine.frameworks == run.machine.frameworks
    assert hidden.settings == run.settings
    assert hidden.second_opinion == run.second_opinion


def test_two_hosts_remain_two() -> None:
    """Their sensors' errors do not cancel, whatever the hosts are called."""
    runs = [full(), full(id="another", machine=machine(hostname="bench-2"))]
    named, hidden = (build(runs, anonymous=is_anonymous).comparison for is_anonymous in (False, True))
    assert named is not None
    assert hidden is not None
    assert [pair.energy for pair in named.pairs] == [pair.energy for pair in hidden.pairs]
    assert named.pairs[0].energy.error_range != (1.0, 1.0)
    assert "bench" not in repr(build(runs, anonymous=True))


def test_kernel_paths_ids_units_and_numbers_are_kept() -> None:
    run = full(machine=machine(hostname="cnn"))
    channel = run.traces[0].channels[0].model_copy(update={"source": "/sys/class/powercap/intel-rapl:0, image/s"})
    run = run.model_copy(update={"traces": (run.traces[0].model_copy(update={"channels": (channel,)}),)})
    (hidden,) = anonymous([run])
    assert hidden.traces[0].channels[0].source == "/sys/class/powercap/intel-rapl:0, image/s"
    assert [case.id for case in hidden.cases] == [case.id for case in run.cases]
    assert [case.summary for case in hidden.cases] == [case.summary for case in run.cases]
    assert [case.workload for case in hidden.cases] == [case.workload for case in run.cases]
