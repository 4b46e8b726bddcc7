"""What is served and written: read back by prometheus_client's own parsers, over a real connection."""

from __future__ import annotations

import gzip
import http.client
import os
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from watched import component, snapshot

from joulemark.suite.errors import MeasurementError, UsageError
from joulemark.suite.watch import metrics
from joulemark.suite.watch.snapshot import GroupState, Snapshot

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = metrics.serve(metrics.registry(snapshot), "127.0.0.1", 0)
    yield server.server_port
    server.shutdown()
    server.server_close()


def get(port: int, method: str = "GET", path: str = "/metrics", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return connection.getresponse()


def samples(families: Iterator[Metric]) -> dict[tuple[str, ...], float]:
    """Return the values by name, component or group, and GPU."""
    return {
        (
            sample.name,
            sample.labels.get("component") or sample.labels.get("group", ""),
            sample.labels.get("gpu", ""),
        ): sample.value
        for family in families
        for sample in family.samples
    }


EXPECTED = {
    ("joulemark_energy_joules_total", "package", ""): 1000.0,
    ("joulemark_energy_joules_total", "gpu", "0"): 5000.0,
    ("joulemark_emissions_grams_total", "gpu", "0"): 0.5,
    ("joulemark_power_watts", "package", ""): 50.0,
    ("joulemark_listed_energy_joules_total", "machine", ""): 7000.0,
    ("joulemark_unmeasured_seconds_total", "package", ""): 2.0,
    ("joulemark_temperature_celsius", "gpu", "0"): 61.0,
    ("joulemark_carbon_intensity_grams_per_kwh", "", ""): 39.22,
    ("joulemark_pue_ratio", "", ""): 1.2,
}


@pytest.mark.parametrize(
    ("accept", "content_type", "parse"),
    [
        ("", "text/plain; version=", parse_text),
        ("text/plain", "text/plain; version=", parse_text),
        (OPENMETRICS, "application/openmetrics-text; version=1.0.0", parse_openmetrics),
    ],
)
def test_the_format_is_the_one_that_is_accepted(port, accept, content_type, parse):
    answer = get(port, Accept=accept)
    text = answer.read().decode()
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(content_type)
    assert text.endswith("# EOF\n") == (parse is parse_openmetrics)
    found = samples(parse(text))
    assert {key: found.get(key) for key in EXPECTED} == EXPECTED


def test_compression_other_methods_and_a_choice_of_names(port):
    packed = get(port, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b"joulemark_pue_ratio 1.2" in gzip.decompress(packed.read())
    assert get(port, "POST").status == 405
    chosen = get(port, path="/metrics?name[]=joulemark_pue_ratio").read().decode()
    assert [family.name for family in parse_text(chosen)] == ["joulemark_pue_ratio"]


def test_estimates_are_marked_and_a_silent_sensor_has_no_value():
    states = (
        component("cpu", "host", source="estimated", sensor="power_model"),
        component("package", "package-1", silent_s=8.0, power_w=None),
    )
    families = list(metrics.families(snapshot(components=states)))
    labels = [sample.labels for family in families for sample in family.samples if "energy" in sample.name]
    assert [(each["component"], each["source"], each["sensor"]) for each in labels] == [
        ("cpu", "estimated", "power_model")
    ]
    unmeasured = [s.labels["component"] for f in families for s in f.samples if "unmeasured" in s.name]
    assert unmeasured == ["cpu", "package"]


def test_groups_are_those_that_were_named():
    groups = tuple(GroupState(name, 30.0, 3.0, 0.1, 9.0, 2) for name in ("train", "other programs", "idle"))
    found = samples(iter(metrics.families(snapshot(groups=groups))))
    assert {key[1] for key in found if "group" in key[0]} == {"train"}
    assert found["joulemark_group_energy_joules_total", "train", ""] == 30.0


def test_nothing_is_served_that_tells_who_or_where(port):
    emissions = snapshot().emissions
    from_file = emissions.intensity.model_copy(update={"source": "/secret/intensity.csv", "zone": None})
    state = snapshot(emissions=emissions.model_copy(update={"intensity": from_file}))
    text = generate_latest(metrics.registry(lambda: state)).decode() + str(get(port).headers)
    private = {socket.gethostname(), os.environ.get("USER", "root"), str(Path.home()), "/secret"}
    assert "joulemark_carbon_intensity_grams_per_kwh" in text
    assert [name for name in private if len(name) > 3 and name in text] == []


def test_once_nothing_is_measured_nothing_is_served(capfd):
    def ended() -> Snapshot:
        raise MeasurementError("the power sampler has ended")

    server = metrics.serve(metrics.registry(ended), "127.0.0.1", 0)
    try:
        answer = get(server.server_port, Accept=OPENMETRICS)
        assert (answer.status, answer.read()) == (200, b"# EOF\n")
    finally:
        server.shutdown()
        server.server_close()
    assert capfd.readouterr().err == ""


def test_a_taken_port_and_an_unknown_host_are_one_line(port):
    with pytest.raises(UsageError, match=rf"cannot listen on port {port} of 127.0.0.1: Address already in use"):
        metrics.serve(metrics.registry(snapshot), "127.0.0.1", port)
    with pytest.raises(UsageError, match=r"cannot listen on port 0 of no\.such\.host\.invalid"):
        metrics.serve(metrics.registry(snapshot), "no.such.host.invalid", 0)


def test_the_textfile_is_replaced_whole(tmp_path):
    path = tmp_path / "joulemark.prom"
    path.write_text("old")
    with path.open() as reader:
        metrics.textfile_writer(path)(snapshot())
        assert reader.read() == "old"  # whoever has begun to read it goes on with the old one
    assert samples(parse_text(path.read_text()))["joulemark_energy_joules_total", "gpu", "0"] == 5000.0
    assert [each.name for each in tmp_path.iterdir()] == ["joulemark.prom"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o400


def test_a_textfile_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "joulemark.prom").mkdir()
    with pytest.raises(UsageError, match="--textfile cannot write"):
        metrics.textfile_writer(tmp_path / "joulemark.prom")(snapshot())
    assert [each.name for each in tmp_path.iterdir()] == ["joulemark.prom"]


def test_the_snapshot_is_of_the_moment_of_the_scrape():
    values = iter((1.0, 2.0, 3.0))
    collector = metrics.SnapshotCollector(lambda: snapshot(at=datetime.fromtimestamp(next(values), UTC)))
    assert [len(list(collector.collect())) for _ in range(3)] == [13] * 3
