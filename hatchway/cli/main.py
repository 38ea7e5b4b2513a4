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
    create_document,
    delete_document,
    describe_document,
    describe_sessions,
    doctor,
    get_connection_status,
    get_document,
    list_document_versions,
    list_documents,
    list_nodes,
    nodes,
    start_session,
    terminate_session,
    terminate_sessions,
    update_document,
    update_document_default_version,
)
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
    describe_sessions,
    terminate_session,
    terminate_sessions,
    list_nodes,
    get_connection_status,
    nodes,
    access,
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

_EXITS = {
    Exit.OK: "done; for start-session: the remote shell's own status",
    Exit.FAILURE: "the session was left, or ended without a status; access explain: not allowed",
    Exit.USAGE: "the command, the request or the configuration is wrong",
    Exit.DENIED: "not allowed, or no usable credentials",
    Exit.NOT_FOUND: "no such node or session",
    Exit.NOT_CONNECTED: "the node's agent is not connected",
    Exit.THROTTLED: "too many requests or sessions",
    Exit.CONNECTION_LOST: "the service cannot be reached, or the connection was lost for good",
    Exit.CONFLICT: "it changed meanwhile, or another client took over",
    Exit.INTERNAL: "the service or this program failed",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status."""
    parser = build_parser()
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    args = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        status = run(args)
        sys.stdout.flush()
    except HatchwayError as error:
        return refuse(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has gone; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        complain("InternalServerError", f"This program failed: {type(error).__name__}: {error}")
        return int(Exit.INTERNAL)
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
    return parser


def _epilog() -> str:
    statuses = "\n".join(f"  {int(status):>3}  {what}" for status, what in _EXITS.items())
    return (
        "configuration: a TOML file with api_url, region and, if needed, ca_bundle and node_id:\n"
        "  --config, else HATCHWAY_CONFIG, else ~/.config/hatchway/config.toml; each key also\n"
        "  from the environment (HATCHWAY_API_URL …). Credentials: the ordinary AWS chain.\n\n"
        "in a session: Enter ~. ends it, Enter ~? helps.\n\n"
        f"exit status:\n{statuses}"
    )
