"""The agent process: reads the settings, dials out, and runs until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import deque
from pathlib import Path

from agent import config, enrolment
from agent.api import AgentApi
from agent.backoff import Backoff
from agent.clock import ServiceClock
from agent.config import Config
from agent.link import Link, Parts
from agent.log import Log
from agent.ports import StartFailed
from agent.process import account, cgroups
from agent.runners.choosing import Runners
from agent.transport.aws import AwsTransport
from hatchway.core.errors import Exit, HatchwayError
from hatchway.core.sealing import Cipher

#: Seconds in which sessions are ended and reported when the agent stops.
STOP_TIME = 8.0
INSTANCE_BYTES = 16
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
#: Places named where something unexpected went wrong.
FRAMES = 4


def main() -> int:
    """The exit status: 0 after an orderly stop, 2 for wrong settings."""
    log = Log()
    try:
        settings = config.load(os.environ)
        log = Log(settings.log_level)
        account.account(settings.session_user)
        secret = enrolment.secret(settings.state_dir, os.urandom)
        asyncio.run(_run(settings, secret, log))
    except (config.ConfigError, enrolment.EnrolmentError, StartFailed) as error:
        log.error("cannot run", code=error.code, message=error.message)
        return Exit.USAGE
    except Exception as error:  # its text may quote anything: the kind has to do
        log.error("unexpected", kind=type(error).__name__, where=_where(error))
        return Exit.INTERNAL
    return Exit.OK


async def _run(settings: Config, secret: str, log: Log) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: _unexpected(log, context))
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    clock = ServiceClock(loop.time, time.time)
    transport = AwsTransport(settings, clock)
    work = loop.create_task(_work(settings, secret, clock, transport, log))
    stop = loop.create_task(stopping.wait())
    try:
        await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        work.cancel()
        await asyncio.gather(work, stop, return_exceptions=True)
        await transport.close()
        log.info("stopped")
    if not stopping.is_set():
        work.result()


async def _work(
    settings: Config, secret: str, clock: ServiceClock, transport: AwsTransport, log: Log
) -> None:
    node = settings.node_id or await _instance_id(transport, log)
    instance = os.urandom(INSTANCE_BYTES).hex()
    groups = cgroups.tree(node)
    log.info("starting", node=node, instance=instance, cgroups=groups is not None)
    if groups is not None and (left := await groups.clear()):
        log.warning("ended what an earlier agent left", sessions=left)
    link = Link(
        Parts(
            api=AgentApi(transport, clock, node, instance, secret),
            transport=transport,
            clock=clock,
            node=node,
            instance=instance,
            platform=platform_name(),
            random=os.urandom,
            cipher_of=_cipher,
            make_runner=Runners(settings.session_user, groups, log).make,
            log=log,
        )
    )
    try:
        await link.run()
    finally:
        try:
            async with asyncio.timeout(STOP_TIME):
                await link.close()
        except TimeoutError:
            log.warning("stopped in haste")
        if groups is not None:
            groups.remove()


async def _instance_id(transport: AwsTransport, log: Log) -> str:
    backoff = Backoff(os.urandom, FIRST_WAIT, LONGEST_WAIT)
    while True:
        try:
            return await transport.instance_id()
        except HatchwayError as error:
            log.error("instance metadata", code=error.code)
            await asyncio.sleep(backoff.next())


def platform_name() -> str:
    """What `channel` is told of the machine."""
    machine = os.uname()
    return f"{machine.sysname} {machine.machine}"


def _cipher(key: bytes) -> Cipher:
    """Loaded with the first session: an idle agent does without its six megabytes."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _unexpected(log: Log, context: dict[str, object]) -> None:
    """An error that nobody expected: its kind and place, for its text may quote what was typed."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        log.error("unexpected", kind=type(error).__name__, where=_where(error))
    else:
        log.error("unexpected")


def _where(error: BaseException) -> str:
    """The innermost frames, as file names and lines: nothing of what they held."""
    trace, places = error.__traceback__, deque[str](maxlen=FRAMES)
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places)
