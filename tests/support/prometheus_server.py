"""A real Prometheus that scrapes one target on loopback, and answers queries."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TIMEOUT_S = 120.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait until `condition()` holds; fail once that has taken too long."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.1)


@dataclass(frozen=True)
class Prometheus:
    """Its HTTP interface (prometheus.io/docs/prometheus/latest/querying/api)."""

    url: str

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the labels and the present value of each series. Fails for an expression that does not parse."""
        parameters = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{parameters}", timeout=TIMEOUT_S) as answer:
            document: dict[str, Any] = json.load(answer)
        assert document["status"] == "success", document
        return [(series["metric"], float(series["value"][1])) for series in document["data"]["result"]]

    def total(self, expression: str) -> float:
        """Return the sum of the values of all series."""
        return sum(value for _, value in self.query(expression))

    def is_ready(self) -> bool:
        try:
            return self.total("up") == 1
        except (OSError, urllib.error.URLError):
            return False


@contextlib.contextmanager
def scraping(directory: Path, target: str) -> Iterator[Prometheus]:
    """Run Prometheus on `target`, HOST:PORT, until the block ends. Skip the test where it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed: apt install prometheus")
    configuration = {
        "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"},
        "scrape_configs": [{"job_name": "joulemark", "static_configs": [{"targets": [target]}]}],
    }
    (directory / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        prometheus = Prometheus(f"http://{address}")
        wait_until(prometheus.is_ready, (directory / "prometheus.log").read_text())
        yield prometheus
    finally:
        process.kill()
        process.wait()
