"""`hatchway exec`: a command on one node or many, in pipelines and scripts as well as by hand."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hatchway.cli.options import TARGET_HELP, add_common, add_wait, service
from hatchway.core.errors import ValidationException

if TYPE_CHECKING:
    from hatchway.client import Hatchway, Started

NAME = "exec"
HELP = "run a command on a node, or on many; its exit status becomes this command's"
REMOTE = True
#: Nodes at once, by default and at most.
CONCURRENCY, MOST_AT_ONCE = 10, 50
EPILOG = """\
The command goes after `--`, one word of it per argument; the node's /bin/sh gets it quoted. For a
pipe or a variable on the node: hatchway exec NODE -- sh -c 'ps aux | wc -l'

Standard input is piped to the command (one node; for many see --input), its standard output and
error come out here, apart and byte for byte. Nothing else is written to standard output. SIGINT,
SIGTERM, SIGHUP and SIGQUIT are forwarded; the third of a kind ends this program and the session.

On many nodes (--tag, or --target more than once) each line bears its node's name, a summary
follows on standard error, and the exit status is the highest of all nodes: `hatchway help
exit-codes`.
"""


def add(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "hatchway exec [options] [TARGET] -- COMMAND [ARGUMENT …]"
    parser.epilog = EPILOG
    parser.set_defaults(rest=[])
    add_common(parser)
    parser.add_argument("one", metavar="TARGET", nargs="?", help=TARGET_HELP)
    parser.add_argument("--reason", help="why; it is recorded with the session")
    parser.add_argument(
        "-t", "--tty", action="store_true", help="a terminal on the node, as for a shell"
    )
    parser.add_argument(
        "-n", "--no-stdin", action="store_true", help="the command's input is empty"
    )
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="the command's input, up to 16 MB, for each node; - is stdin",
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="say nothing of connections; errors only"
    )
    parser.add_argument(
        "--unfiltered", action="store_true", help="pass every terminal escape on to this terminal"
    )
    add_wait(parser)
    _add_many(parser.add_argument_group("many nodes"))


def _add_many(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--target", dest="targets", action="append", default=[], help="a node; may be repeated"
    )
    group.add_argument(
        "--tag",
        dest="tags",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="all nodes with this tag; where it is repeated, those that have every one",
    )
    group.add_argument(
        "--concurrency",
        type=int,
        default=CONCURRENCY,
        metavar="N",
        help=f"so many at once (default {CONCURRENCY}, at most {MOST_AT_ONCE})",
    )
    group.add_argument(
        "--max-failures",
        type=int,
        metavar="N",
        help="start no more once more than N nodes have failed (default: go on)",
    )
    group.add_argument(
        "--output-dir", metavar="DIR", help="write NODE.stdout and NODE.stderr there instead"
    )
    group.add_argument(
        "--json", action="store_true", help="the results as JSON on standard output, nothing else"
    )


def run(args: argparse.Namespace) -> int:
    if not args.rest:
        raise ValidationException("Which command? It goes after --: hatchway exec NODE -- uptime")
    targets = [*([args.one] if args.one else []), *args.targets]
    many = len(targets) > 1 or args.tags or args.json or args.output_dir
    if many:
        from hatchway.cli.exec_many import run_many

        return run_many(args, service(args), targets)
    target = targets[0] if targets else None
    if args.tty:
        return _with_terminal(args, service(args), target)
    return _piped(args, service(args), target)


def _with_terminal(args: argparse.Namespace, hatchway: Hatchway, target: str | None) -> int:
    from hatchway.cli.start_session import follow
    from hatchway.client.command_line import TERMINAL_DOCUMENT, command_parameters
    from hatchway.client.terminal import open_terminal

    terminal = open_terminal()
    started = hatchway.start(
        target,
        document=TERMINAL_DOCUMENT,
        reason=args.reason,
        parameters=command_parameters(args.rest),
        wait=args.wait,
    )
    return follow(
        hatchway,
        started,
        terminal,
        filtered=terminal.screen and not args.unfiltered,
        quiet=args.quiet,
    )


def _piped(args: argparse.Namespace, hatchway: Hatchway, target: str | None) -> int:
    from hatchway.cli.piped import run_piped
    from hatchway.cli.streams import source_of
    from hatchway.client.command_line import PIPED_DOCUMENT, command_parameters

    def start() -> Started:
        return hatchway.start(
            target,
            document=PIPED_DOCUMENT,
            reason=args.reason,
            parameters=command_parameters(args.rest),
            wait=args.wait,
        )

    source = source_of(args.input, none=args.no_stdin)
    return run_piped(hatchway, start, source, unfiltered=args.unfiltered, quiet=args.quiet)
