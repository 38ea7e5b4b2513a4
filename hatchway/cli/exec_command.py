"""`hatchway exec`: a command on one node or many, in pipelines and scripts as well as by hand."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from hatchway.cli.leaving import end_session, ended_with, left, tell
from hatchway.cli.options import TARGET_HELP, add_common, add_wait, service
from hatchway.core.errors import ValidationException

if TYPE_CHECKING:
    import asyncio

    from hatchway.client import Hatchway, Started
    from hatchway.client.command import Sink, Source
    from hatchway.client.events import Ended, StreamEvent
    from hatchway.client.stream import Stream

T = TypeVar("T")

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
    import asyncio

    from hatchway.cli.streams import sink_of, source_of

    source, sink = source_of(args), sink_of(unfiltered=args.unfiltered)
    return asyncio.run(_Piped(args, hatchway, target).run(source, sink))


class _Piped:
    """One command on one node, from its start to its status."""

    def __init__(self, args: argparse.Namespace, hatchway: Hatchway, target: str | None) -> None:
        self._args, self._hatchway, self._target = args, hatchway, target
        self._stream: Stream | None = None

    async def run(self, source: Source | None, sink: Sink) -> int:
        import asyncio

        from hatchway.client.signals import forwarding

        with forwarding(self._forward) as leaving:
            started = await _first(self._start(), leaving)
            if isinstance(started, int):
                return 128 + started
            try:
                async with self._hatchway.open_stream(started) as self._stream:
                    ended = await _first(self._carry(self._stream, source, sink), leaving)
            except BrokenPipeError:
                await asyncio.to_thread(end_session, self._hatchway, started)
                raise
        if isinstance(ended, int):
            return left(self._hatchway, started, ended, quiet=True)
        return ended_with(self._hatchway, started, ended, quiet=True)

    def _forward(self, number: int) -> bool:
        return self._stream is not None and self._stream.signal(number)

    async def _start(self) -> Started:
        from hatchway.client.command_line import PIPED_DOCUMENT, command_parameters
        from hatchway.client.connecting import in_thread

        return await in_thread(
            lambda: self._hatchway.start(
                self._target,
                document=PIPED_DOCUMENT,
                reason=self._args.reason,
                parameters=command_parameters(self._args.rest),
                wait=self._args.wait,
            )
        )

    async def _carry(self, stream: Stream, source: Source | None, sink: Sink) -> Ended:
        from hatchway.client.command import carry

        return await carry(stream, source, sink, self._told)

    def _told(self, event: StreamEvent) -> None:
        from hatchway.client.shell import said
        from hatchway.core.channel import Gap

        text = said(event)
        if text and (isinstance(event, Gap) or not self._args.quiet):
            tell("".join(f"[hatchway: {line}]\n" for line in text.splitlines()).rstrip("\n"))


async def _first(work: Coroutine[Any, Any, T], leaving: asyncio.Future[int]) -> T | int:
    """What `work` gives, or the signal that ends it before."""
    import asyncio

    task = asyncio.ensure_future(work)
    try:
        either: set[asyncio.Future[Any]] = {task, leaving}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else leaving.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
