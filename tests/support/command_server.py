"""A process that has imported the command, and is forked for each call: a process of its own without its own imports.

Run as `python -P command_server.py SOCKET`, the descriptor of one end of a SOCK_SEQPACKET pair. A request names
arguments, directory and environment, and comes with two descriptors, for output and errors. It is answered by the
process id of the command, and by its exit code once it has ended.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

PACKAGES = ("cli", "terminal", "results", "plan", "run", "carbon", "stats", "energy", "records")
LIBRARIES = ("numpy", "scipy.special", "scipy.optimize", "plotly.offline", "psutil")
MAX_BYTES = 1 << 17


def import_command() -> None:
    """Import what verbs import when they are run. No framework is among it."""
    for name in (*(f"joulemark.suite.{package}" for package in PACKAGES), "joulemark.reports"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)


def serve(channel: socket.socket) -> None:
    """Fork for each request until the other end closes. Return in the child, as the process that was asked for."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, MAX_BYTES, 2)
        if not message:
            sys.exit()
        child = os.fork()
        if child == 0:
            channel.close()
            become(json.loads(message), descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(child).encode())
        _, status = os.waitpid(child, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Take over environment, directory, arguments and streams of a request."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["directory"])
    sys.argv = ["-c", *request["arguments"]]
    tempfile.tempdir = None  # of the new TMPDIR
    for stream, descriptor in enumerate(descriptors, start=1):
        os.dup2(descriptor, stream)
        os.close(descriptor)


if __name__ == "__main__":
    import_command()
    gc.freeze()  # not collected at the end of each command
    serve(socket.socket(fileno=int(sys.argv[1])))
    from joulemark.suite.cli.app import main

    main()
