"""The windows of a meter that are open, as the running task or thread sees them, and the items that belong to each."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import asyncio

_visible: ContextVar[tuple[OpenWindow, ...]] = ContextVar("joulemark_open_windows", default=())
"""Windows of all meters, innermost last. A task also sees those that were open where it was started."""
_next_items: ContextVar[WeakKeyDictionary[OpenWindows, Any] | None] = ContextVar("joulemark_items", default=None)
"""What was set while no window of the meter was open."""


class OpenWindow:
    """A window that has begun."""

    __slots__ = ("begin_s", "closed", "items", "meter", "task")

    def __init__(self, meter: OpenWindows, begin_s: float, items: Any) -> None:
        """Begin a window of `meter` at `begin_s`, CLOCK_MONOTONIC seconds, with `items` until they are set."""
        self.meter = meter
        self.begin_s = begin_s
        self.items = items
        self.closed = False
        self.task: asyncio.Task[Any] | None = None
        """The task in which it was entered last; None outside tasks."""

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Make it the innermost window for a `with` block."""
        self.meter.enter(self)
        try:
            yield
        finally:
            self.meter.leave(self)


class _OfThread(threading.local):
    """What a thread has entered of one meter."""

    def __init__(self) -> None:
        self.entered: list[OpenWindow] = []


class OpenWindows:
    """The open windows of one meter."""

    def __init__(self) -> None:
        """Start without any."""
        self._of_thread = _OfThread()
        self._made_in = threading.get_ident()
        self._items: Any = None
        """What the thread that made the meter set outside its windows: for threads and tasks that set nothing."""

    def new(self, begin_s: float) -> OpenWindow:
        """Return a window that begins at `begin_s`, CLOCK_MONOTONIC seconds. It is not entered yet."""
        return OpenWindow(self, begin_s, self.next_items)

    def enter(self, window: OpenWindow) -> None:
        """Make `window` the innermost one of this task or thread."""
        window.task = _current_task()
        visible, entered = _visible.get(), self._of_thread.entered
        if visible and visible[-1].closed:  # by another task or thread
            visible = tuple(each for each in visible if not each.closed)
        if entered and entered[-1].closed:
            entered[:] = [each for each in entered if not each.closed]
        _visible.set((*visible, window))
        entered.append(window)

    def leave(self, window: OpenWindow) -> None:
        """Undo `enter`."""
        visible, entered = _visible.get(), self._of_thread.entered
        if visible and visible[-1] is window:
            _visible.set(visible[:-1])
        else:
            _visible.set(tuple(each for each in visible if each is not window))
        if window in entered:
            entered.remove(window)

    def close(self, window: OpenWindow) -> None:
        """End `window` for every task and thread."""
        window.closed = True
        self.leave(window)

    def innermost(self) -> OpenWindow | None:
        """Return the innermost window of this task or thread; None where there is none.

        One that a finished task of this thread has left open is still there: cells of a notebook are such tasks.
        """
        for window in reversed(_visible.get()):
            if window.meter is self and not window.closed:
                return window
        for window in reversed(self._of_thread.entered):
            if not window.closed and (window.task is None or window.task.done()):
                return window
        return None

    @property
    def next_items(self) -> Any:
        """Items of windows that begin here until they are set; None where none were set outside a window."""
        set_here = _next_items.get()
        return self._items if set_here is None else set_here.get(self, self._items)

    def set_items(self, items: Any) -> None:
        """Set the items of the innermost window; outside a window, those of the windows that follow."""
        window = self.innermost()
        if window is not None:
            window.items = items
            return
        if threading.get_ident() == self._made_in:
            self._items = items
        set_here = WeakKeyDictionary(_next_items.get() or {})  # a copy: tasks that were started here have the old one
        set_here[self] = items
        _next_items.set(set_here)


def _current_task() -> asyncio.Task[Any] | None:
    asyncio = sys.modules.get("asyncio")  # without it, the program has no tasks
    loop = asyncio._get_running_loop() if asyncio is not None else None
    return asyncio.current_task(loop) if asyncio is not None and loop is not None else None
