"""Decorated functions: a call's window lasts as long as its work, also that of generators, and passes all through."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time

import pytest
from simulated_meter import meter

from joulemark import meter_process

STEP_S = 0.05


@pytest.fixture(scope="module", autouse=True)
def _close_processes():
    yield
    meter_process.close()


def run(coroutine):
    """Run a coroutine in a thread of its own: the browser of other tests keeps an event loop running in this one."""
    results = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(coroutine)))
    thread.start()
    thread.join()
    return results[0]


def count(n):
    for i in range(n):
        time.sleep(STEP_S)
        yield i


async def count_later(n):
    for i in range(n):
        await asyncio.sleep(STEP_S)
        yield i


async def collect(generator):
    return [value async for value in generator]


class Callables:
    def __call__(self, n):
        yield from count(n)


@pytest.mark.parametrize(
    "function", [count, functools.partial(count), Callables()], ids=["function", "partial", "object"]
)
def test_a_generator_is_measured_while_it_is_iterated(function):
    whole = meter("generator")
    measured = whole(function)
    assert list(measured(3)) == [0, 1, 2]
    (window,) = whole.measurements
    assert window.duration_s >= 3 * STEP_S
    assert window.energy.value > 0


def test_an_asynchronous_generator_is_measured_while_it_is_iterated():
    whole = meter("generator")
    assert run(collect(whole(count_later)(3))) == [0, 1, 2]
    (window,) = whole.measurements
    assert window.duration_s >= 3 * STEP_S * 0.9  # an event loop may wake a little early


def test_what_is_done_with_the_values_has_windows_of_its_own():
    batches, step = meter("batches"), meter("step")

    @batches
    def load():
        for size in (2, 3):
            batches.items = 10
            yield size

    for size in load():
        step.items = size
        batches.items = 99  # not of the open generator
        with step, batches:
            pass
    assert [window.items for window in step.measurements] == [2, 3]
    assert [window.items for window in batches.measurements] == [99, 99, 10]


def test_generators_may_be_interleaved_and_left():
    whole = meter("generator")
    measured = whole(count)
    first, second = measured(3), measured(5)
    next(first), next(second), next(first)
    first.close()
    assert len(whole.measurements) == 1
    second.close()
    unused = measured(2)
    del unused
    assert len(whole.measurements) == 2
    assert all(window.duration_s >= STEP_S for window in whole.measurements)


def echo():
    """Yield what it is sent; an error that is thrown in is the result."""
    received = []
    try:
        while True:
            received.append((yield len(received)))
    except KeyError as error:
        return [*received, str(error)]


async def echo_later():
    received = []
    while True:
        try:
            received.append((yield len(received)))
        except KeyError as error:
            yield [*received, str(error)]
            return


def test_values_and_errors_pass_into_a_generator():
    generator = meter("echo")(echo)()
    assert [next(generator), generator.send("a"), generator.send("b")] == [0, 1, 2]
    with pytest.raises(StopIteration) as end:
        generator.throw(KeyError("c"))
    assert end.value.value == ["a", "b", "'c'"]


def test_values_and_errors_pass_into_an_asynchronous_generator():
    whole = meter("echo")

    async def main():
        generator = whole(echo_later)()
        values = [await generator.asend(None), await generator.asend("a"), await generator.athrow(KeyError("c"))]
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        left = whole(echo_later)()
        await anext(left)
        await left.aclose()
        return values

    assert run(main()) == [0, 1, ["a", "'c'"]]
    assert len(whole.measurements) == 2


@pytest.mark.parametrize("function", [count, count_later, collect, echo])
def test_a_decorated_function_is_of_the_same_kind(function):
    """pytest and frameworks look at it."""
    decorated = meter("kind")(function)
    for is_kind in (
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.iscoroutinefunction,
    ):
        assert is_kind(decorated) == is_kind(function)
    assert decorated.__name__ == function.__name__


def test_items_are_set_within_a_decorated_function():
    step = meter("step")

    @step
    def forward(images):
        step.items = len(images)
        return images[1:] and forward(images[1:])

    @step
    async def later(n):
        await asyncio.sleep(0.001 * n)
        step.items = n

    async def main():
        await asyncio.gather(later(9), later(4))

    forward([1, 2, 3])
    run(main())
    assert [window.items for window in step.measurements] == [1, 2, 3, 4, 9]
