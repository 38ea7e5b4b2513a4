"""Which runner a session's document asks for, and all that it starts with: account, shell,
environment, limits, control group."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

from agent.document import PLATFORM, command
from agent.log import Log
from agent.order import Order
from agent.ports import Client, Runner, StartFailed
from agent.process.account import Account, choose
from agent.process.cgroups import Tree
from agent.process.environment import environment
from agent.process.launch import Launch
from agent.process.processes import Processes
from agent.runners.banner import banner
from agent.runners.command import CommandRunner, Prefixes
from agent.runners.shell import ShellRunner, Size
from agent.terminal import pipes, posix
from agent.terminal.pipes import Piped
from agent.terminal.posix import Terminal
from hatchway.core.documents import Document, SessionType

#: What understands a document's commands; parameters in them are quoted for it.
SHELL = ("/bin/sh", "-c")
#: Seconds that finding, or creating, the account may take.
ACCOUNT_LIMIT = 25.0


class Runners:
    """Makes the runners of one agent; `tree` is None where it may have no control groups."""

    def __init__(self, session_user: str, tree: Tree | None, log: Log) -> None:
        self._session_user, self._tree, self._log = session_user, tree, log

    async def make(self, order: Order) -> Runner:
        """What runs the session. StartFailed, with a text for the person who waits for it."""
        try:
            async with asyncio.timeout(ACCOUNT_LIMIT):
                user = await asyncio.to_thread(choose, order, self._session_user)
        except TimeoutError:
            raise StartFailed("the account was not found in time") from None
        return self.of(order, user)

    def of(self, order: Order, user: Account) -> Runner:
        """The runner of the document's session type, with nothing started."""
        document = order.document
        if document.session_type is not SessionType.NON_INTERACTIVE_COMMANDS:
            plain = document.session_type is SessionType.STANDARD_STREAM
            return ShellRunner(
                lambda size, client: self._terminal(order, user, size, client),
                greeting=banner(order, user) if plain else b"",
                profile=_profile(document) if plain else b"",
            )
        return CommandRunner(
            lambda client, apart: self._piped(order, user, client, apart),
            separate=document.properties.separate_output_stream,
            prefixes=_prefixes(document),
        )

    def _terminal(self, order: Order, user: Account, size: Size, client: Client) -> Terminal:
        launch = self._grouped(order, _launch(order.document, user, client))
        made = posix.spawn(launch, size)
        self._check(order, made.processes)
        return made

    def _piped(self, order: Order, user: Account, client: Client, apart: bool) -> Piped:
        launch = self._grouped(order, _launch(order.document, user, client))
        made = pipes.spawn(launch, apart=apart)
        self._check(order, made.processes)
        return made

    def _grouped(self, order: Order, launch: Launch) -> Launch:
        try:
            return replace(launch, cgroup=self._tree.make(order.session) if self._tree else None)
        except OSError:
            return launch

    def _check(self, order: Order, processes: Processes) -> None:
        if self._tree is not None and not processes.contained:
            self._log.warning("no control group", session=order.session)


def _launch(document: Document, user: Account, client: Client) -> Launch:
    own, text = document.inputs.hatchway, command(document)
    shell = own.shell.of(PLATFORM) or user.shell
    variables = environment(user, client.environment, own.environment, shell)
    if document.session_type is SessionType.NON_INTERACTIVE_COMMANDS:
        del variables["TERM"]  # nobody is to take a pipe for a terminal
    return Launch(
        account=user,
        command=(*SHELL, text) if text else (_program(shell),),
        environment=variables,
        login=own.login_shell and not text,
        limits=own.limits,
    )


def _program(shell: str) -> str:
    if not os.access(shell, os.X_OK):
        raise StartFailed(f"shell {shell} does not exist on this node")
    return shell


def _profile(document: Document) -> bytes:
    """What is typed before the client's own: every line ended, as in the original."""
    text = document.inputs.shell_profile.of(PLATFORM).strip("\r\n")
    return (text + "\n").encode() if text.strip() else b""


def _prefixes(document: Document) -> Prefixes:
    properties = document.properties
    return Prefixes(
        properties.stdout_separator_prefix.encode(), properties.stderr_separator_prefix.encode()
    )
