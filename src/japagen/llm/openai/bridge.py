"""An event loop of our own behind synchronous code; also where the caller's thread runs one already, as in Jupyter."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class Bridge:
    """Runs coroutines from synchronous code, one at a time; between two calls the loop stands still.

    The loop runs in the caller's thread, or in a thread of its own where the caller's already runs one. Ctrl-C cancels
    the coroutine, instead of breaking off whatever step of the loop is running.

    Attributes:
        interrupted: Ctrl-C came when the coroutine was just done, so that its result was handed out all the same.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._loop = _new_loop()
        self._task: asyncio.Task[Any] | None = None
        self._thread: ThreadPoolExecutor | None = None
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="japagen-llm")

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result, or its exception; raises as `call` does."""
        return self.call(lambda: coroutine)

    def call(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of a coroutine function, or its exception. Ctrl-C cannot come between the making and the running.

        Raises:
            KeyboardInterrupt: Ctrl-C came before it was done.
        """
        ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if not ours:  # the program has plans of its own for Ctrl-C
            return self._run(function)
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            return self._run(function)
        except asyncio.CancelledError:
            if self.interrupted:
                self.interrupted = False
                raise KeyboardInterrupt from None
            raise
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _run(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        self._task = task = self._loop.create_task(function())  # the loop stands still, so any thread may do this
        if self._thread is None:
            return self._loop.run_until_complete(task)
        running = self._thread.submit(self._loop.run_until_complete, task)
        try:
            return running.result()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(task.cancel)
            wait([running])
            raise

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """The handler of SIGINT while the loop runs."""
        self.interrupted = True
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def close(self) -> None:
        """Cancel what still runs and close the loop."""
        try:
            self.call(_cancel_all)
            self.call(self._loop.shutdown_asyncgens)
            self.call(self._loop.shutdown_default_executor)
        finally:
            if self._thread is not None:
                self._thread.shutdown()
            self._loop.close()


async def _cancel_all() -> None:
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
