"""Which runner a session document asks for, and what that one starts."""

from __future__ import annotations

from agent.document import command
from agent.ports import Client, Runner
from agent.runners.command import CommandRunner, Prefixes
from agent.runners.shell import ShellRunner, Size
from agent.terminal import pipes, posix
from agent.terminal.pipes import Piped
from agent.terminal.posix import Account, Terminal
from hatchway.core.documents import Document, SessionType

#: What understands a document's commands; parameters in them are quoted for it.
SHELL = ("/bin/sh", "-c")


def runner_of(document: Document, user: Account) -> Runner:
    """What runs the session of `document` as `user`."""
    text = command(document)
    run = (*SHELL, text) if text else posix.login(user)
    if document.session_type is not SessionType.NON_INTERACTIVE_COMMANDS:

        def terminal(size: Size, client: Client) -> Terminal:
            return posix.spawn(user, run, size, client.environment)

        return ShellRunner(terminal)

    def piped(client: Client, apart: bool) -> Piped:
        variables = _without_terminal(posix.environment(user) | dict(client.environment))
        return pipes.spawn(lambda ours: posix.launch(user, run, ours, variables), apart=apart)

    return CommandRunner(
        piped,
        separate=document.properties.separate_output_stream,
        prefixes=_prefixes(document),
    )


def _without_terminal(variables: dict[str, str]) -> dict[str, str]:
    """Nobody is to take a pipe for a terminal."""
    return {name: value for name, value in variables.items() if name != "TERM"}


def _prefixes(document: Document) -> Prefixes:
    properties = document.properties
    return Prefixes(
        properties.stdout_separator_prefix.encode(), properties.stderr_separator_prefix.encode()
    )
