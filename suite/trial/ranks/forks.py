"""Ranks as forks of the trial, where the framework has no launcher of its own."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from joulemark.suite.trial.outcome import RankFailedError
from joulemark.suite.trial.ranks.group import FORK


def launch(count: int, run_rank: Callable[[int], Any]) -> list[Any]:
    """Run `count` ranks and return what each returns. Raises RankFailedError once one ends without, and ends all."""
    receivers, ranks = [], []
    for rank in range(count):
        receiver, sender = FORK.Pipe(duplex=False)
        receivers.append(receiver)
        ranks.append(FORK.Process(target=_send, args=(run_rank, rank, sender), daemon=True))
        ranks[-1].start()
        sender.close()
    results: dict[int, Any] = {}
    try:
        while len(results) < count:
            missing = [rank for rank in range(count) if rank not in results]
            ready = wait([receivers[rank] for rank in missing])
            for rank in (rank for rank in missing if receivers[rank] in ready):
                try:
                    results[rank] = receivers[rank].recv()
                except EOFError:
                    ranks[rank].join()
                    raise RankFailedError(rank, ranks[rank].exitcode or 0) from None
    finally:
        for process in ranks:
            if len(results) < count:
                process.kill()
            process.join()
    return [results[rank] for rank in range(count)]


def _send(run_rank: Callable[[int], Any], rank: int, sender: Connection) -> None:
    sender.send(run_rank(rank))
    sender.close()
