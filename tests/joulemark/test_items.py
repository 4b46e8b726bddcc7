"""Items belong to a window, whichever thread, task or window they are set in, and are integers above 0."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import numpy as np
import pytest
from simulated_meter import meter

import joulemark
from joulemark import meter_process


@pytest.fixture(scope="module", autouse=True)
def _close_processes():
    yield
    meter_process.close()


def items(of: joulemark.Meter) -> list[object]:
    return [measurement.items for measurement in of.measurements]


def run(coroutine) -> None:
    """Run a coroutine in a thread of its own: the browser of other tests keeps an event loop running in this one."""
    thread = threading.Thread(target=lambda: asyncio.run(coroutine))
    thread.start()
    thread.join()


def test_nested_windows_have_their_own():
    nest = meter("nest")
    with nest:
        nest.items = 100
        with nest:
            nest.items = 7
            with nest:
                pass
            assert nest.items == 7
        assert nest.items == 100
    assert items(nest) == [None, 7, 100]
    assert nest.items == 100  # those of the last window


def test_what_is_set_outside_holds_for_the_windows_that_follow():
    loop = meter("loop")
    loop.items = 10
    for _ in range(2):
        with loop:
            pass
    with loop:
        loop.items = 3
    with loop:
        pass
    loop.items = None
    with loop:
        pass
    assert items(loop) == [10, 10, 3, 10, None]


def test_two_meters_do_not_share_them():
    outer, inner = meter("outer"), meter("inner")
    with outer, inner:
        outer.items = 1
        inner.items = 2
    assert (items(outer), items(inner)) == ([1], [2])


def test_threads_have_their_own():
    shared = meter("shared")
    shared.prepare()
    barrier = threading.Barrier(8, timeout=60)

    def work(number: int) -> None:
        for _ in range(20):
            barrier.wait()
            if number % 2:
                shared.items = number
            with shared:
                barrier.wait()
                if not number % 2:
                    shared.items = number
                barrier.wait()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(items(shared)) == sorted([*range(8)] * 20)


def test_a_thread_that_sets_none_has_those_of_the_thread_that_made_the_meter():
    shared = meter("shared")
    shared.items = 32

    def work() -> None:
        with shared:
            pass
        shared.items = 5  # of this thread alone

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert items(shared) == [32, 32]


def test_tasks_have_their_own():
    shared = meter("shared")
    shared.prepare()

    async def before(number: int) -> None:
        shared.items = number
        await asyncio.sleep(0.001 * number)
        with shared:
            await asyncio.sleep(0.001 * (5 - number))

    async def within(number: int) -> None:
        with shared:
            await asyncio.sleep(0.001 * (5 - number))
            shared.items = number
            await asyncio.sleep(0.001 * number)

    async def main() -> None:
        await asyncio.gather(*(work(number) for number in range(1, 5) for work in (before, within)))

    run(main())
    assert sorted(items(shared)) == sorted([1, 2, 3, 4] * 2)
    durations_s = {measurement.items: measurement.duration_s for measurement in shared.measurements}
    assert min(durations_s.values()) > 0


def test_a_task_within_a_window_belongs_to_it():
    shared = meter("shared")

    async def work() -> None:
        shared.items = 9

    async def main() -> None:
        with shared:
            await asyncio.gather(asyncio.create_task(work()))
            await asyncio.to_thread(lambda: None)

    run(main())
    assert items(shared) == [9]


def test_a_task_cannot_stop_the_window_of_another():
    shared = meter("shared")
    errors: list[str] = []

    async def stop() -> None:
        try:
            shared.stop()
        except joulemark.JoulemarkError as error:
            errors.append(str(error))

    async def main() -> None:
        context = contextvars.copy_context()
        with shared:
            await asyncio.create_task(stop(), context=context)

    run(main())
    assert len(errors) == 1
    assert "not started in this thread or task" in errors[0]
    assert len(shared.measurements) == 1


def test_cells_of_a_notebook_share_a_window():
    """Each is a task of its own, whose context ends with it."""
    cells = meter("cells")

    async def start() -> None:
        cells.start()

    async def count() -> None:
        cells.items = 12

    async def stop() -> None:
        cells.stop()

    async def main() -> None:
        for cell in (start, count, stop):
            await asyncio.create_task(cell(), context=contextvars.Context())

    run(main())
    assert items(cells) == [12]


@pytest.mark.parametrize("wrong", [0, -5, 2.5, 10**20, True, "7", float("nan"), [1]])
def test_a_file_is_refused_where_items_are_no_integer_above_0(tmp_path, wrong):
    block = meter("block")
    with block:
        block.items = 3
    with block:
        block.items = wrong
    with pytest.raises(joulemark.JoulemarkError) as caught:
        block.save(tmp_path / "run.json")
    if wrong is not True:
        assert f"items of window 2 of block is {wrong!r}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run.json").exists()


def test_integers_of_other_types_are_saved(tmp_path):
    block = meter("block")
    with block:
        block.items = np.int64(4)
    block.add(block.last.begin_s, block.last.end_s, items=np.int32(5))
    (case,) = joulemark.read(block.save(tmp_path / "run.json")).cases
    assert [trial.items for trial in case.trials] == [4, 5]
