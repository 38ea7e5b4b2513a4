# PYTHON_ARGCOMPLETE_OK
"""The command `hatchway`: reads the command line, runs one verb, turns errors into a status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from hatchway import __version__
from hatchway.cli import (
    access,
    audit,
    create_document,
    delete_document,
    describe_document,
    describe_sessions,
    doctor,
    exec_command,
    export,
    get_connection_status,
    get_document,
    list_document_versions,
    list_documents,
    list_nodes,
    logs,
    nodes,
    replay,
    resume_session,
    search,
    start_session,
    terminate_session,
    terminate_sessions,
    update_document,
    update_document_default_version,
    verify,
)
from hatchway.cli.descriptors import open_closed_descriptors
from hatchway.cli.exits import apart, table
from hatchway.cli.report import complain, refuse
from hatchway.core.errors import Exit, HatchwayError


class Verb(Protocol):
    """A verb's module."""

    NAME: str
    HELP: str

    @property
    def add(self) -> Callable[[argparse.ArgumentParser], None]: ...

    @property
    def run(self) -> Callable[[argparse.Namespace], int]: ...


VERBS: tuple[Verb, ...] = (
    start_session,
    resume_session,
    exec_command,
    describe_sessions,
    terminate_session,
    terminate_sessions,
    list_nodes,
    get_connection_status,
    nodes,
    access,
    audit,
    replay,
    logs,
    search,
    export,
    verify,
    list_documents,
    describe_document,
    get_document,
    list_document_versions,
    create_document,
    update_document,
    update_document_default_version,
    delete_document,
    doctor,
)

#: Verbs whose status is the remote command's: our own stay apart from it.
_REMOTE = frozenset(verb.NAME for verb in (start_session, exec_command))
_TOPICS = {"exit-codes": table}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status."""
    open_closed_descriptors()
    given = list(sys.argv[1:] if argv is None else argv)
    remote = bool(given) and given[0] in _REMOTE
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    try:
        args = _parsed(parser, given)
    except SystemExit as error:
        if remote and error.code == Exit.USAGE:
            return apart(Exit.USAGE)
        raise
    status = _run(args)
    return apart(-status) if remote and status < 0 else abs(status)


def _parsed(parser: argparse.ArgumentParser, given: list[str]) -> argparse.Namespace:
    """What `exec` gets after -- is a command's, whatever it looks like."""
    rest: list[str] = []
    if given[:1] == [exec_command.NAME] and "--" in given:
        at = given.index("--")
        given, rest = given[:at], given[at + 1 :]
    args = parser.parse_args(given)
    if given[:1] == [exec_command.NAME]:
        args.rest = rest
    return args


def _run(args: argparse.Namespace) -> int:
    """The verb's status; that of an error which it raised, negative."""
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        status = run(args)
        sys.stdout.flush()
    except HatchwayError as error:
        return -refuse(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has gone; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        complain("InternalServerError", f"This program failed: {type(error).__name__}: {error}")
        return -int(Exit.INTERNAL)
    return status


def build_parser() -> argparse.ArgumentParser:
    """The whole command line. It imports no verb's dependencies: `--help` is quick."""
    parser = argparse.ArgumentParser(
        prog="hatchway",
        description="Shells on instances with every inbound port closed.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hatchway {__version__}")
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    for verb in VERBS:
        made = verbs.add_parser(verb.NAME, help=verb.HELP, description=verb.HELP.capitalize() + ".")
        verb.add(made)
        made.set_defaults(run=verb.run)
    _add_help(verbs)
    return parser


def _add_help(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = verbs.add_parser("help", help="more about a topic: exit-codes")
    made.add_argument("topic", choices=sorted(_TOPICS))
    made.set_defaults(run=_help)


def _help(args: argparse.Namespace) -> int:
    print("exit status:")
    print(_TOPICS[args.topic]())
    return Exit.OK


def _epilog() -> str:
    return (
        "configuration: a TOML file with api_url, region and, if needed, ca_bundle and node_id:\n"
        "  --config, else HATCHWAY_CONFIG, else ~/.config/hatchway/config.toml; each key also\n"
        "  from the environment (HATCHWAY_API_URL …). Credentials: the ordinary AWS chain.\n\n"
        "in a session: Enter ~d leaves it, Enter ~. ends it, Enter ~? helps.\n\n"
        f"exit status:\n{table()}"
    )
