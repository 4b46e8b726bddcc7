"""A Ray cluster on this machine whose nodes are hosts of their own, as far as programs on them can tell.

Each node has a network, UTS, mount and process namespace: an address, a machine id, a boot id, a joulemark home and a
powercap tree of its own, and the host name that all have. A bridge in a network namespace of its own connects them.
Nothing is changed in the namespaces of this machine. Needs root, `ip`, `unshare` and `nsenter`, and Ray.

`python tests/support/ray_cluster.py DIRECTORY` starts one and keeps it until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import uuid
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import powercap
import psutil
from command import COMMAND, inherited

PORT = 6379
HOST = "node"
READY_S, END_S = 300.0, 60.0
ZONES = (
    powercap.FakeZone("intel-rapl:0", "package-0", power_w=50.0),
    powercap.FakeZone("intel-rapl:0:0", "dram", 10.0),
)
"""What the counters of node 0 show, watts; those of node i run (i + 1) times as fast."""
POWERED_S = 7200.0
SYSTEM = '{"health_check_initial_delay_ms":1000,"health_check_period_ms":1000,"health_check_failure_threshold":3}'
"""Ray then notices within seconds that a node is lost."""


def why_not() -> str | None:
    """Return why no cluster can be made here; None if it can."""
    if find_spec("ray") is None:
        return "ray is not installed"
    missing = [name for name in ("ip", "unshare", "nsenter", "mount") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} not found"
    probe = ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "ip", "link", "add", "jm", "type", "bridge"]
    tried = subprocess.run(probe, capture_output=True, text=True, check=False)
    return f"no rights for namespaces: {tried.stderr.strip()}" if tried.returncode else None


class Node:
    """One node of the cluster."""

    def __init__(self, cluster: RayCluster, number: int) -> None:
        self.number, self.root = number, cluster.root / f"node{number}"
        self.namespace = f"{cluster.name}n{number}"
        self.address = f"10.77.0.{number + 1}"
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None
        for folder in ("home", "tmp", "session"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
        self.zones = [
            powercap.FakeZone(zone.number, zone.name, zone.power_w * (number + 1), range_uj=zone.range_uj)
            for zone in ZONES
        ]
        self.powercap = powercap.build(self.root / "sys", self.zones)

    def start(self) -> None:
        """Boot the node, and have it join the cluster."""
        (self.root / "boot_id").write_text(f"{uuid.uuid4()}\n")
        log = self.root / "ray.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *("ip", "netns", "exec", self.namespace),
                    *("unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"),
                    *("bash", "-c", self._script()),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**inherited(), **self._variables()},
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_S
        while "Ray runtime started" not in log.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"node {self.number} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)

    def _script(self) -> str:
        session = self._cluster.session
        where = (
            f"--head --port {PORT} --include-dashboard false --temp-dir {session} --system-config '{SYSTEM}'"
            if self.number == 0
            else f"--address {self._cluster.address}"
        )
        ray = Path(sysconfig.get_path("scripts")) / "ray"
        return f"""
            set -e
            mount -t proc proc /proc
            hostname {HOST}
            mount --bind {self.root}/machine-id /etc/machine-id
            mount --bind {self.root}/boot_id /proc/sys/kernel/random/boot_id
            mount --bind {self.root}/session {session}
            cd {self.root}
            {ray} start --block --disable-usage-stats --num-cpus 2 --object-store-memory 100000000 \
                --node-ip-address {self.address} {where}
            """

    def _variables(self) -> dict[str, str]:
        return {
            "JOULEMARK_HOME": str(self.root / "home"),
            "JOULEMARK_POWERCAP_ROOT": str(self.powercap),
            "TMPDIR": str(self.root / "tmp"),
            "PYTHONPATH": self._cluster.stand_ins,
        }

    def enter(self) -> list[str]:
        """Return the beginning of a command that runs on this node."""
        assert self._process is not None
        (first,) = psutil.Process(self._process.pid).children()
        return ["nsenter", "--target", str(first.pid), "--mount", "--uts", "--net", "--pid"]

    def processes(self, word: str) -> list[psutil.Process]:
        """Return the processes on this node whose command has `word` in it."""
        found = []
        tree = psutil.Process(self._process.pid).children(recursive=True) if self._process and self.runs else []
        for process in tree:
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE and word in " ".join(process.cmdline()):
                    found.append(process)
        return found

    @property
    def runs(self) -> bool:
        """Whether it is up."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End the node as a power cut does: all its processes at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)  # its init goes with it (--kill-child), and with that the rest
            self._process.wait(END_S)
            self._process = None


class RayCluster:
    """Nodes that are connected."""

    def __init__(self, root: Path, count: int = 2) -> None:
        self.root, self.name = root, f"jm{os.getpid()}"
        self.session = root / "session"
        self.session.mkdir(parents=True)
        self.stand_ins = str(_stand_ins(root))
        self.nodes = [Node(self, number) for number in range(count)]
        self.address = f"{self.nodes[0].address}:{PORT}"
        self._drivers: list[powercap.Driver] = []

    def start(self) -> None:
        """Start the network, the counters, and the nodes."""
        self._network()
        for node in self.nodes:
            self._drivers.append(powercap.Driver(node.root / "sys", node.zones, POWERED_S))
            self._drivers[-1].begin()
        for node in self.nodes:
            node.start()

    def _network(self) -> None:
        switch = f"{self.name}s"
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for node in self.nodes:
            _ip("netns", "add", node.namespace)
            port = f"port{node.number}"
            _ip("-n", node.namespace, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", switch)
            _ip("-n", switch, "link", "set", port, "master", "bridge", "up")
            _ip("-n", node.namespace, "address", "add", f"{node.address}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                _ip("-n", node.namespace, "link", "set", device, "up")

    def joulemark(self, home: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start `joulemark ARGUMENTS` on node 0, the head, in the directory `home`, with a home of its own there."""
        environment = {**inherited(), "JOULEMARK_HOME": str(home), "COLUMNS": "200", "PYTHONPATH": self.stand_ins}
        enable = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        return subprocess.Popen(
            [*self.nodes[0].enter(), f"--wd={home}", *COMMAND[:-1], enable + COMMAND[-1], *arguments],
            env={**environment, "TMPDIR": str(self.nodes[0].root / "tmp"), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left(self) -> list[str]:
        """Return the processes on the nodes that joulemark has started and that still run."""
        words = ("joulemark run", "joulemark.suite", "ray::Actor")
        found = {process for node in self.nodes for word in words for process in node.processes(word)}
        return [str(process) for process in found]

    def stop(self) -> None:
        """End the nodes, and take the network away."""
        for node in self.nodes:
            node.kill()
        for driver in self._drivers:
            driver.process.kill()
            driver.process.communicate()
        for namespace in (*(node.namespace for node in self.nodes), f"{self.name}s"):
            subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _stand_ins(root: Path) -> Path:
    """Return a folder for the module path. Ray imports amdsmi, and fails where that is there without AMD's library."""
    folder = root / "stand_ins"
    if find_spec("amdsmi") is not None:
        (folder / "amdsmi").mkdir(parents=True)
        (folder / "amdsmi" / "__init__.py").write_text('raise ImportError("there is no AMD library")\n')
    return folder


@contextlib.contextmanager
def running(root: Path, count: int = 2) -> Iterator[RayCluster]:
    """Yield a cluster that runs; its files are in `root`."""
    cluster = RayCluster(root, count)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def main(arguments: Sequence[str]) -> None:
    """Keep a cluster until Ctrl-C, or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with running(Path(arguments[0]).absolute()) as cluster, contextlib.suppress(KeyboardInterrupt):
        print("On the head:", *cluster.nodes[0].enter(), "joulemark run --on", f"ray:{cluster.address}")
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
