"""`hatchway exec` on many nodes: their lines, the progress, the summary, the status of it all."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchway.cli.exec_command import MOST_AT_ONCE
from hatchway.cli.exits import apart
from hatchway.cli.leaving import status_of, tell
from hatchway.cli.lines import Files, Kept, Prefixed, Screen, make_directory
from hatchway.cli.report import print_json, print_table
from hatchway.cli.streams import Kept as Input
from hatchway.cli.streams import read_input
from hatchway.client.choosing import choose
from hatchway.client.command_line import PIPED_DOCUMENT, command_parameters
from hatchway.client.fleet import Fleet, NodeResult, NodeSink, Order, Status
from hatchway.client.shell import said
from hatchway.client.signals import forwarding
from hatchway.client.terminal import open_terminal
from hatchway.core.channel import Gap
from hatchway.core.errors import Exit, ValidationException
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatchway.client import Hatchway
    from hatchway.client.events import StreamEvent
    from hatchway.client.records import Node

COLUMNS = ("Node", "Name", "Result", "Exit code", "Seconds", "Why")


def run_many(args: argparse.Namespace, hatchway: Hatchway, targets: Sequence[str]) -> int:
    """Runs the command everywhere; the highest status of all nodes."""
    _check(args)
    nodes = choose(targets, args.tags, hatchway.nodes)
    data = read_input(args.input) if args.input else b""
    directory = make_directory(args.output_dir) if args.output_dir else None
    return asyncio.run(_Many(args, hatchway, nodes, data, directory).run())


def _check(args: argparse.Namespace) -> None:
    if args.tty:
        raise ValidationException("-t is for one node.")
    if not 1 <= args.concurrency <= MOST_AT_ONCE:
        raise ValidationException(f"--concurrency is 1 to {MOST_AT_ONCE}.")
    if args.max_failures is not None and args.max_failures < 0:
        raise ValidationException("--max-failures is 0 or more.")


class _Many:
    def __init__(
        self,
        args: argparse.Namespace,
        hatchway: Hatchway,
        nodes: Sequence[Node],
        data: bytes,
        directory: Path | None,
    ) -> None:
        self._args, self._nodes, self._directory = args, nodes, directory
        self._sinks: dict[str, Files | Kept | Prefixed] = {}
        self._done = self._failed = self._begun = 0
        terminal = open_terminal()
        status = os.isatty(2) and not args.quiet
        self._screen = Screen(terminal, status=status)
        filtered = not args.unfiltered
        self._filtered = (filtered and os.isatty(1), filtered and os.isatty(2))
        self._saying: set[asyncio.Task[None]] = set()
        order = Order(
            document=PIPED_DOCUMENT,
            parameters=command_parameters(args.rest),
            reason=args.reason,
            concurrency=args.concurrency,
            max_failures=args.max_failures,
            wait=args.wait,
        )
        self._fleet = Fleet(
            hatchway,
            order,
            sink=self._sink,
            source=lambda: Input(data) if data else None,
            told=self._told,
            event=self._event,
        )

    async def run(self) -> int:
        with forwarding(self._fleet.signal) as leaving:
            task = asyncio.ensure_future(self._fleet.run(self._nodes))
            either: set[asyncio.Future[Any]] = {task, leaving}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                tell(f"Left by signal {leaving.result()}; what still ran was ended.")
                return 128 + leaving.result()
            results = task.result()
        await asyncio.gather(*self._saying)
        await self._screen.say("")
        self._report(results)
        return max(map(_status, results))

    # --- while it runs --------------------------------------------------------------------------

    def _sink(self, node: Node) -> NodeSink:
        sink: Files | Kept | Prefixed
        if self._directory is not None:
            sink = Files(self._directory, node)
        elif self._args.json:
            sink = Kept()
        else:
            sink = Prefixed(self._screen, node, filtered=self._filtered)
        self._sinks[node.node_id] = sink
        return sink

    def _told(self, result: NodeResult | None) -> None:
        self._begun += result is None
        if result is not None:
            self._done += 1
            self._failed += result.status is not Status.SUCCEEDED
        going = self._begun - self._done
        text = f"{self._done} of {len(self._nodes)} done, {self._failed} failed, {going} running"
        task = asyncio.ensure_future(self._screen.say(text))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    def _event(self, node: Node, event: StreamEvent) -> None:
        text = said(event)
        if text and (isinstance(event, Gap) or not self._args.quiet):
            lines = text.splitlines()
            named = printable(node.name or node.node_id)
            tell("\n".join(f"[hatchway: {named}: {line}]" for line in lines))

    # --- afterwards -----------------------------------------------------------------------------

    def _report(self, results: Sequence[NodeResult]) -> None:
        if self._args.json:
            print_json(self._members(results))
        elif not self._args.quiet:
            print_table(COLUMNS, map(_row, results), "No node.", errors=True)
        else:
            for result in results:
                if result.status in (Status.FAILED, Status.NOT_STARTED):
                    tell(f"hatchway: {': '.join(map(printable, filter(None, _row(result))))}")

    def _members(self, results: Sequence[NodeResult]) -> dict[str, object]:
        count = {status: sum(r.status is status for r in results) for status in Status}
        return {
            "Command": list(self._args.rest),
            "Results": [
                _members(result, self._sinks.get(result.node.node_id)) for result in results
            ],
            "Summary": {status.value: number for status, number in count.items()},
            "ExitStatus": max(map(_status, results)),
        }


def _status(result: NodeResult) -> int:
    """What one node adds to the status of all."""
    if result.error is not None:
        return apart(int(result.error.exit))
    return (
        apart(Exit.FAILURE) if result.status is Status.NOT_STARTED else status_of(result.exit_code)
    )


def _row(result: NodeResult) -> tuple[str, ...]:
    return (
        result.node.node_id,
        result.node.name,
        result.status.value,
        "" if result.exit_code is None else str(result.exit_code),
        f"{result.seconds:.1f}" if result.status is not Status.NOT_STARTED else "",
        f"{result.error.code}: {result.error.message}" if result.error else "",
    )


def _members(result: NodeResult, sink: Files | Kept | Prefixed | None) -> dict[str, object]:
    error = result.error
    return {
        "NodeId": result.node.node_id,
        "Name": result.node.name or None,
        "Status": result.status.value,
        "ExitCode": result.exit_code,
        "Error": {"Code": error.code, "Message": error.message} if error else None,
        "SessionId": result.session_id or None,
        "Seconds": round(result.seconds, 3),
        **_output(sink),
    }


def _output(sink: Files | Kept | Prefixed | None) -> dict[str, object]:
    """Where the output is, or the output itself as far as it was kept; not text is replaced."""
    if isinstance(sink, Files):
        return {"StdoutFile": str(sink.output), "StderrFile": str(sink.errors)}
    if isinstance(sink, Kept):
        return {
            "Stdout": sink.output.decode(errors="replace"),
            "Stderr": sink.errors.decode(errors="replace"),
            "Truncated": sink.truncated,
        }
    return {}
