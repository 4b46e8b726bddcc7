"""Measure two cases in two processes that both stay resident: by turns, or both at once on cores of their own.

A process of a pair builds its case, warms up, and then runs blocks of steps whenever it is told to and for as long.
`duet` lets both run at once, each on one core, as in L. Bulej, V. Horký, P. Tůma, F. Farquet and A. Prokopec, "Duet
benchmarking: improving measurement accuracy in the cloud" (ICPE 2020); `alternate` lets one run at a time.
"""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Callable, Sequence
from typing import Any

from joulemark.suite.trial import allocator, timing
from joulemark.suite.trial.frameworks.prepared import Prepared, at_batch_size, prepare
from joulemark.suite.trial.request import Request

MESSAGE_BYTES = 1 << 16
ENOUGH = 1e-9
"""Seconds of a turn that is one block long."""


def alternate(
    requests: Sequence[Request], turns: int, turn_s: float, core: int, order: random.Random
) -> list[list[float]]:
    """Return the step times of two cases, seconds, in `turns` turns of `turn_s` each on one core: [first, second].

    Who comes first changes at random. The first block of a turn, which finds the caches full of the other's data, is
    not counted.
    """
    with _Pair(requests, (core, core)) as pair:
        times = []
        for _ in range(turns):
            turn = [0.0, 0.0]
            for index in order.sample((0, 1), 2):
                pair.begin(index, ENOUGH)
                pair.end(index)
                pair.begin(index, turn_s)
                turn[index] = pair.end(index)
            times.append(turn)
    return times


def duet(requests: Sequence[Request], turns: int, turn_s: float, cores: Sequence[int]) -> list[list[float]]:
    """Return the step times of two cases, seconds, that run at once, the first on the first core; by turn as above.

    After each turn they change places.
    """
    with _Pair(requests, cores) as pair:
        times = []
        for turn in range(turns):
            for index in (0, 1):
                pair.place(index, cores[(index + turn) % 2])
            for seconds in (ENOUGH, turn_s):
                for index in (0, 1):
                    pair.begin(index, seconds)
                measured = [pair.end(index) for index in (0, 1)]
            times.append(measured)
    return times


def rebuilds(request: Request, builds: int, seconds: float, core: int, order: random.Random) -> list[float]:
    """Return the step times of a case, seconds, that one process builds again and again at other addresses."""

    def measure(channel: socket.socket) -> None:
        os.sched_setaffinity(0, {core})
        allocator.apply("retain" if request.allocator == "retain" else "default")
        case, times, held = None, [], []
        for _ in range(builds):
            case = prepare(request) if case is None else at_batch_size(case, request, request.batch_size)
            step, count = _warm(case, request)
            times.append(_step_s(step, case, count, seconds))
            held.append(bytearray(order.randrange(1, 1 << 22)))  # moves what is allocated next
        channel.send(json.dumps(times).encode())

    with _Child(measure) as channel:
        return list(json.loads(channel.recv(MESSAGE_BYTES)))


class _Child:
    """A forked process and the channel to it."""

    def __init__(self, run: Callable[[socket.socket], None]) -> None:
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if self._pid == 0:
            self._channel.close()
            try:
                run(other)
            finally:
                os._exit(0)  # a framework's destructors can hang
        other.close()

    def __enter__(self) -> socket.socket:
        return self._channel

    def __exit__(self, *_: object) -> None:
        self.close()
        os.waitpid(self._pid, 0)

    def close(self) -> None:
        """Tell the process to end."""
        self._channel.close()


class _Pair:
    """Two resident processes."""

    def __init__(self, requests: Sequence[Request], cores: Sequence[int]) -> None:
        self._children = [
            _Child(lambda channel, request=request, core=core: _serve(request, core, channel))  # type: ignore[misc]
            for request, core in zip(requests, cores, strict=True)
        ]

    def __enter__(self) -> _Pair:
        self._channels = [child.__enter__() for child in self._children]
        for channel in self._channels:
            channel.recv(MESSAGE_BYTES)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.close()  # all of them first: the second process has inherited the channel of the first
        for child in self._children:
            child.__exit__()

    def place(self, index: int, core: int) -> None:
        """Move a process to `core`."""
        self._channels[index].send(json.dumps({"core": core}).encode())

    def begin(self, index: int, seconds: float) -> None:
        """Let a process run blocks for `seconds`."""
        self._channels[index].send(json.dumps({"seconds": seconds}).encode())

    def end(self, index: int) -> float:
        """Wait until it has, and return its step time, seconds."""
        return float(self._channels[index].recv(MESSAGE_BYTES))


def _serve(request: Request, core: int, channel: socket.socket) -> None:
    """Be one process of a pair, until the channel is closed."""
    os.sched_setaffinity(0, {core})
    allocator.apply("retain" if request.allocator == "retain" else "default")
    case = prepare(request)
    step, count = _warm(case, request)
    channel.send(b"ready")
    with timing.garbage_collection_off():
        while message := channel.recv(MESSAGE_BYTES):
            order: dict[str, Any] = json.loads(message)
            if "core" in order:
                for thread in os.listdir("/proc/self/task"):
                    os.sched_setaffinity(int(thread), {order["core"]})
            else:
                channel.send(str(_step_s(step, case, count, order["seconds"])).encode())


def _warm(case: Prepared, request: Request) -> tuple[Callable[[], object], int]:
    """Return the step of a case after its warm-up, and the steps in a block."""
    step = case.stepper()
    step()
    durations = timing.warm_up(step, case.adapter.synchronize, request.effort)
    return step, timing.steps_per_block(durations, case.adapter.synchronize)


def _step_s(step: Callable[[], object], case: Prepared, count: int, seconds: float) -> float:
    """Return the mean time of a step over blocks of `count` for `seconds`."""
    window = timing._run_blocks(step, case.adapter.synchronize, count, seconds, timing.CLOCK)
    return (window.end - window.start) / window.steps
