"""Tasks that live no longer than what they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

T = TypeVar("T")


async def background(stack: AsyncExitStack, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Runs `work` beside the rest; when the stack is left it is cancelled and awaited."""
    task = asyncio.create_task(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
    return task


async def within(seconds: float, task: asyncio.Task[T]) -> T | None:
    try:
        return await asyncio.wait_for(task, seconds)
    except TimeoutError:
        return None
