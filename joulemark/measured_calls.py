"""Calls whose windows last as long as their work: of functions, coroutines, generators and asynchronous generators."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from joulemark.open_windows import OpenWindow

Function = Callable[..., Any]
Begin = Callable[[], OpenWindow]
End = Callable[[OpenWindow], object]


def measured(function: Function, begin: Begin, end: End) -> Function:
    """Return `function` with each call a window; of a generator, from its first step to its end.

    Args:
        function: The function.
        begin: Begins a window, which is not entered yet.
        end: Ends a window.
    """
    code: Any = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(code):
        return _asynchronous_generator(function, begin, end)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(code):
        return _coroutine(function, begin, end)
    if inspect.isgeneratorfunction(function) or inspect.isgeneratorfunction(code):
        return _generator(function, begin, end)
    return _plain(function, begin, end)


def _plain(function: Function, begin: Begin, end: End) -> Function:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        window = begin()
        try:
            with window.entered():
                return function(*args, **kwargs)
        finally:
            end(window)

    return call


def _coroutine(function: Function, begin: Begin, end: End) -> Function:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        window = begin()
        try:
            with window.entered():
                return await function(*args, **kwargs)
        finally:
            end(window)

    return call


def _generator(function: Function, begin: Begin, end: End) -> Function:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        window = begin()
        try:
            return (yield from _Steps(function(*args, **kwargs), window))
        finally:
            end(window)

    return call


def _asynchronous_generator(function: Function, begin: Begin, end: End) -> Function:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        window = begin()
        generator = function(*args, **kwargs)
        step = functools.partial(generator.asend, None)
        try:
            while True:
                try:
                    with window.entered():
                        value = await step()
                except StopAsyncIteration:
                    return
                try:
                    step = functools.partial(generator.asend, (yield value))
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown into the generator, as `yield from` does
                    step = functools.partial(generator.athrow, error)
        finally:
            end(window)

    return call


class _Steps(Generator[Any, Any, Any]):
    """A generator whose window is entered in its steps alone: what is done with its values belongs to other windows."""

    def __init__(self, generator: Generator[Any, Any, Any], window: OpenWindow) -> None:
        self._generator = generator
        self._window = window

    def send(self, value: Any) -> Any:
        with self._window.entered():
            return self._generator.send(value)

    def throw(self, *exception: Any) -> Any:
        with self._window.entered():
            return self._generator.throw(*exception)

    def close(self) -> None:
        with self._window.entered():
            self._generator.close()
