"""`hatchway access`: who may open sessions where, and which policy statement says so."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hatchway.cli.options import TARGET_HELP, add_common, add_output, service
from hatchway.cli.report import print_json, print_table
from hatchway.core.api import POLICY_TEXT
from hatchway.core.errors import Exit, ValidationException
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client.access import Access, Check, Explained, Mismatch, Statement

NAME = "access"
HELP = "explain who may open sessions where"

_CHECKS = ("Layer", "Action", "Resource", "Decision", "Refused by", "Unknown keys")
_STATEMENTS = (
    "Layer",
    "Effect",
    "Policy",
    "Statement",
    "Result",
    "Failed",
    "Expected",
    "Actual",
    "Unknown keys",
)


def add(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(metavar="QUESTION", required=True)
    explain = _verb(verbs, "explain", "why somebody may, or may not, open a session", _explain)
    _add_as(explain)
    _add_target(explain)
    explain.add_argument(
        "--with-policy",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="a policy (JSON) to try in addition; nothing is changed",
    )
    explain.add_argument(
        "--without-policy",
        action="append",
        default=[],
        metavar="NAME",
        help="a policy of theirs, by name or ARN, to leave out",
    )
    _add_common(explain)
    _add_target(who := _verb(verbs, "who-can", "who may open a session on a node", _who_can))
    _add_common(who)
    _add_as(what := _verb(verbs, "what-can", "where somebody may open sessions", _what_can))
    _add_common(what)


def run(args: argparse.Namespace) -> int:
    answer: Callable[[argparse.Namespace], int] = args.answer
    return answer(args)


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    purpose: str,
    answer: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    made = verbs.add_parser(name, help=purpose, description=f"Says {purpose}.")
    made.set_defaults(answer=answer)
    return made


def _add_as(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as",
        dest="principal",
        metavar="ARN",
        help="the ARN of a user, a role or a role session (default: yourself)",
    )


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", required=True, help=TARGET_HELP)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--document", help="the session document, where one is named")
    parser.add_argument(
        "--context",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a condition key's value to assume, as aws:SourceIp=192.0.2.7; again for more",
    )
    add_common(parser)
    add_output(parser)


# --- the three questions ------------------------------------------------------------------------


def _explain(args: argparse.Namespace) -> int:
    client = service(args)
    found = client.explain_access(
        args.principal,
        client.resolve(args.target),
        document=args.document,
        with_policies=[_policy(path) for path in args.with_policy],
        without_policies=args.without_policy,
        context=_context(args.context),
    )
    if args.output == "json":
        print_json(found.members())
    else:
        _show(found)
    return int(Exit.OK if found.allowed else Exit.FAILURE)


def _who_can(args: argparse.Namespace) -> int:
    client = service(args)
    target = client.resolve(args.target)
    found = client.who_can(target, document=args.document, context=_context(args.context))
    return _list(args, "Principals", "PrincipalArn", found)


def _what_can(args: argparse.Namespace) -> int:
    client = service(args)
    found = client.what_can(args.principal, document=args.document, context=_context(args.context))
    return _list(args, "Nodes", "NodeId", found)


def _policy(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(POLICY_TEXT.most + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationException(f"{path} cannot be read: {error}") from None
    if len(text) > POLICY_TEXT.most:
        raise ValidationException(f"{path} is longer than {POLICY_TEXT.most} characters.")
    return text


def _context(texts: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or ":" not in key:
            raise ValidationException("--context takes KEY=VALUE, as aws:SourceIp=192.0.2.7.")
        found.setdefault(key, []).append(value)
    return found


# --- what is printed ----------------------------------------------------------------------------


def _list(args: argparse.Namespace, plural: str, name: str, found: Iterable[Access]) -> int:
    every = list(found)
    if args.output == "json":
        print_json({plural: [_members(name, one) for one in every]})
        return 0
    node = name == "NodeId"
    columns = ("Node", "Name", "Decision", "Hangs on") if node else ("Who", "Decision", "Hangs on")
    rows = [
        (one.name, *([one.label] if node else []), one.decision, " ".join(one.unknown))
        for one in every
    ]
    print_table(columns, rows, empty="None.")
    return 0


def _members(name: str, one: Access) -> dict[str, object]:
    label: dict[str, object] = {"Name": one.label or None} if name == "NodeId" else {}
    return {name: one.name, **label, "Decision": one.decision, "Unknown": list(one.unknown)}


def _show(found: Explained) -> None:
    who, where = printable(found.principal_arn), printable(found.target)
    print(f"{who} on {where}: {printable(found.decision)}")
    print_table(_CHECKS, [_check(check) for check in found.checks], empty="No checks.")
    rows = [
        row
        for check in found.checks
        for statement in check.statements
        for row in _statement(check, statement)
    ]
    print_table(_STATEMENTS, rows, empty="No statement names the action.")
    for remark in found.remarks:
        print(printable(remark))


def _check(check: Check) -> tuple[str, ...]:
    return (
        check.layer,
        check.action,
        check.resource,
        check.decision,
        check.policy_layer,
        " ".join(check.unknown),
    )


def _statement(check: Check, statement: Statement) -> Iterable[tuple[str, ...]]:
    """One row for each element that failed, or one for a statement that applied."""
    policy = " ".join(part for part in (statement.source, statement.policy) if part)
    start = (check.layer, statement.effect, policy, statement.label, statement.result)
    if not statement.mismatches:
        yield (*start, "", "", "", "")
    for miss in statement.mismatches:
        yield (*start, *_mismatch(miss))


def _mismatch(miss: Mismatch) -> tuple[str, str, str, str]:
    failed = " ".join(part for part in (miss.element, miss.operator, miss.key) if part)
    actual = ", ".join(miss.actual) if miss.presence == "present" else f"({miss.presence})"
    unset = [f"{name} (no value)" for name in miss.absent]
    return failed, ", ".join(miss.expected), actual, " ".join([*miss.unknown, *unset])
