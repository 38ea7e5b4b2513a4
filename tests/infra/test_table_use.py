"""What functions may do in the table is what their code can reach, and nothing else.

The embedded AWS sets no `dynamodb:LeadingKeys` and lets every key pass: a kind of item that is
missing from the grants shows here, or on AWS.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from hatchway.core.lifecycle import Status
from infra.data import INDEXES
from infra.packaging import ROOT
from infra.table_use import USES
from lambdas.adapters.documents import TableDocuments
from lambdas.adapters.leases import TableLeases
from lambdas.adapters.lifecycle import TableLifecycle
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.memory.clock import ManualClock
from lambdas.ports import (
    Busy,
    Circumstances,
    Connection,
    Count,
    DocumentRecord,
    DocumentStore,
    DocumentVersion,
    Leases,
    LifecycleConnection,
    LifecycleConnections,
    LifecycleToken,
    Limits,
    Node,
    NodeRole,
    NodeStore,
    Request,
    SessionQuery,
    SessionStore,
    Token,
)
from tests.contract.cloud import Cloud
from tests.infra.conftest import FAMILIES
from tests.infra.templates import Stacks, listed, text
from tests.unit.edge.world import NODE, NOW, World

#: An action and the kind of item or the index that it touches.
Touch = tuple[str, str]
_TOUCHING = frozenset({"PutItem", "UpdateItem", "DeleteItem", "GetItem", "BatchGetItem", "Query"})
_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
#: What holds a store in the families' code.
_HOLDERS = {
    "visitors": LifecycleConnections,
    "sessions": SessionStore,
    "store": SessionStore,
    "nodes": NodeStore,
    "documents": DocumentStore,
    "leases": Leases,
}


def touches(operation: str, asked: Mapping[str, Any]) -> Iterator[Touch]:
    """What IAM is asked for one call of DynamoDB."""
    if operation == "TransactWriteItems":
        for write in asked["TransactItems"]:
            ((verb, of),) = write.items()
            yield from touches(_WRITES[verb], of)
    elif operation == "BatchGetItem":
        ((_table, of),) = asked["RequestItems"].items()
        for key in of["Keys"]:
            yield operation, key["pk"]["S"].partition("#")[0]
    elif operation == "Query":
        yield operation, asked["IndexName"]
    else:
        key = asked["Item"] if operation == "PutItem" else asked["Key"]
        yield operation, key["pk"]["S"].partition("#")[0]


class Stores:
    """Both stores over moto, and what they touched."""

    def __init__(self) -> None:
        cloud = Cloud("")
        client = cloud.client("dynamodb")
        client.meta.events.register("provide-client-params.dynamodb", self._note)
        table, clock = Cloud("").table(), ManualClock(NOW)
        self.sessions = TableSessions(table, clock, client=client, pause=lambda seconds: None)
        self.nodes = TableNodes(table, client)
        self.documents = TableDocuments(table, client, pause=lambda seconds: None)
        self.version = DocumentVersion(
            name="Team", number=1, content="{}", form="JSON", members="{}", digest="d"
        )
        self.document = DocumentRecord(
            name="Team", kind="Session", numbers=(1,), default=1, digest="d"
        )
        self.visitors = TableLifecycle(table, clock, client)
        self.leases = TableLeases(table, clock, client)
        self.touched: set[Touch] = set()
        self.session = World().start()
        self.token = Token(digest="d", session_id=self.session.session_id, expires=NOW + 60)
        self.request = Request(
            owner=self.session.owner,
            token="t",
            fingerprint="f",
            session_id=self.session.session_id,
            expires=NOW + 60,
        )
        self.count = Count(name="account/1", sessions=1, changed=0.0)

    def _note(self, params: Mapping[str, Any], model: Any, **more: object) -> None:
        self.touched.update(touches(model.name, params))

    def create_twice(self) -> None:
        limits = Limits(per_user=9, per_node=9, per_account=9, starts_a_minute=9)
        for digest in ("d1", "d2"):
            token = replace(self.token, digest=digest)
            self.sessions.create(self.session, token, self.request, limits)

    def change_and_end(self) -> None:
        session = self.sessions.create(self.session, self.token, None)
        session = self.sessions.update(session, replace(session, activity=NOW))
        ended = replace(session, status=Status.TERMINATED, ended=NOW)
        self.sessions.update(session, ended)

    def recount_all(self) -> None:
        self.sessions.recount(self.count, 1)
        (made,) = self.sessions.counts()
        self.sessions.recount(made, 2)
        self.sessions.recount(made, 0)

    def query_all(self) -> None:
        for query in (
            SessionQuery(active=True, max_results=1),
            SessionQuery(active=True, max_results=1, target=NODE),
            SessionQuery(active=False, max_results=1, owner_arn=self.session.owner_arn),
            SessionQuery(active=True, max_results=1, session_id=self.session.session_id),
        ):
            self.sessions.query(query)

    def issue(self) -> None:
        self.visitors.issue(
            LifecycleToken(
                digest="l",
                owner=self.session.owner,
                arn="a",
                about=Circumstances(),
                api="a",
                expires=NOW + 60,
            )
        )

    def do_once(self) -> None:
        """One that failed, and one that did it."""
        with suppress(Busy), self.leases.once("s", 1.0):
            raise Busy
        with self.leases.once("s", 1.0):
            pass

    def hold_one(self) -> None:
        with self.leases.hold("s", 1.0):
            return

    def change_document(self) -> None:
        made = self.documents.create(self.document, [self.version])
        added = replace(self.version, number=2)
        made = self.documents.update(made, replace(made, numbers=(1, 2)), added)
        self.documents.update(made, replace(made, numbers=(2,)))

    def remove_document(self) -> None:
        self.documents.delete(self.documents.create(self.document, [self.version]))

    def change_node(self) -> None:
        node = self.nodes.create(Node(node_id=NODE))
        self.nodes.update(node, replace(node, name="n"))


#: A use of each method that takes all of its ways. What a use needs besides is the method's too.
CALLS: Mapping[tuple[type, str], Callable[[Stores], object]] = {
    (Leases, "hold"): Stores.hold_one,
    (Leases, "once"): Stores.do_once,
    (SessionStore, "create"): Stores.create_twice,
    (SessionStore, "get"): lambda s: s.sessions.get("x"),
    (SessionStore, "update"): Stores.change_and_end,
    (SessionStore, "count_start"): lambda s: s.sessions.count_start(s.session.owner, 9),
    (SessionStore, "count_question"): lambda s: s.sessions.count_question(s.session.owner, 9),
    (SessionStore, "counts"): lambda s: s.sessions.counts(),
    (SessionStore, "recount"): Stores.recount_all,
    (SessionStore, "query"): Stores.query_all,
    (SessionStore, "active_on"): lambda s: s.sessions.active_on(NODE),
    (SessionStore, "active"): lambda s: s.sessions.active(),
    (SessionStore, "lingering"): lambda s: s.sessions.lingering(1),
    (SessionStore, "add_token"): lambda s: s.sessions.add_token(s.token),
    (SessionStore, "use_token"): lambda s: s.sessions.use_token("d", "c", NOW),
    (SessionStore, "add_connection"): lambda s: s.sessions.add_connection(
        Connection(connection="c", session_id="s", generation=1)
    ),
    (SessionStore, "connection"): lambda s: s.sessions.connection("c"),
    (SessionStore, "remove_connection"): lambda s: s.sessions.remove_connection("c"),
    (LifecycleConnections, "issue"): Stores.issue,
    (LifecycleConnections, "use"): lambda s: s.visitors.use("d", "c", NOW),
    (LifecycleConnections, "open"): lambda s: s.visitors.open(
        LifecycleConnection(connection="c", owner=s.session.owner, expires=NOW + 60)
    ),
    (LifecycleConnections, "close"): lambda s: s.visitors.close("c"),
    (LifecycleConnections, "of"): lambda s: s.visitors.of(s.session.owner, NOW, 1),
    (LifecycleConnections, "due"): lambda s: s.visitors.due(NOW, 1),
    (DocumentStore, "record"): lambda s: s.documents.record("Team"),
    (DocumentStore, "version"): lambda s: s.documents.version("Team", 1),
    (DocumentStore, "create"): lambda s: s.documents.create(s.document, [s.version]),
    (DocumentStore, "update"): Stores.change_document,
    (DocumentStore, "delete"): Stores.remove_document,
    (DocumentStore, "list"): lambda s: s.documents.list(1),
    (NodeStore, "get"): lambda s: s.nodes.get(NODE),
    (NodeStore, "get_all"): lambda s: s.nodes.get_all([NODE]),
    (NodeStore, "create"): lambda s: s.nodes.create(Node(node_id=NODE)),
    (NodeStore, "update"): Stores.change_node,
    (NodeStore, "list"): lambda s: s.nodes.list(1),
    (NodeStore, "role"): lambda s: s.nodes.role("AROA"),
    (NodeStore, "put_role"): lambda s: s.nodes.put_role(NodeRole(role_id="AROA", role_arn="a")),
    (NodeStore, "remove_role"): lambda s: s.nodes.remove_role("AROA"),
    (NodeStore, "roles"): lambda s: s.nodes.roles(),
}
#: What the use of `update` above needs to have something to update.
_PREPARATION: Mapping[tuple[type, str], set[Touch]] = {
    (SessionStore, "update"): {("PutItem", "TOKEN")}
}


def methods(port: type) -> set[str]:
    return {name for name in vars(port) if not name.startswith("_")}


@pytest.fixture(scope="module")
def touched() -> Mapping[tuple[type, str], set[Touch]]:
    """What each method of the stores touches."""
    found: dict[tuple[type, str], set[Touch]] = {}
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for method, call in CALLS.items():
            stores = Stores()
            call(stores)
            found[method] = stores.touched - _PREPARATION.get(method, set())
    return found


def modules(entry: str) -> Iterator[ast.Module]:
    """The family's modules and what they share with others; not the adapters themselves."""
    seen, waiting = set(), [entry]
    while waiting:
        name = waiting.pop()
        path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
        apart = name.startswith(("lambdas.adapters", "lambdas.ports"))
        if name in seen or apart or not path.is_file():
            continue
        seen.add(name)
        tree = ast.parse(path.read_text())
        yield tree
        for each in ast.walk(tree):
            if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("lambdas"):
                waiting += [str(each.module), *(f"{each.module}.{a.name}" for a in each.names)]


def reached(family: str) -> set[tuple[type, str]]:
    """The methods of stores that a family's code names."""
    found = set()
    for tree in modules(f"lambdas.{family}.entry"):
        for each in ast.walk(tree):
            if isinstance(each, ast.Attribute):
                found |= {(port, each.attr) for port in _ports(each)}
    return found


def _ports(named: ast.Attribute) -> Iterator[type]:
    """By who holds it; and by its name alone, where no other port or type has such a method."""
    holder = named.value
    name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
    for port in set(_HOLDERS.values()):
        own = named.attr in methods(port)
        if own and (_HOLDERS.get(name) is port or "_" in named.attr or named.attr == "recount"):
            yield port


def granted(stacks: Stacks, family: str) -> set[Touch]:
    """What a family's role may do, an action and a kind or index at a time."""
    found: set[Touch] = set()
    for statement in stacks.service.statements_of(f"{family.capitalize()}Role"):
        for action in listed(statement["Action"]):
            service, _, name = action.partition(":")
            if service == "dynamodb" and name in _TOUCHING:
                found |= {(name, where) for where in _where(statement)}
    return found


def _where(statement: Mapping[str, Any]) -> Iterator[str]:
    for resource in listed(statement["Resource"]):
        arn = text(resource)
        if "/index/" in arn:
            yield arn.rpartition("/")[2]
            continue
        assert arn.endswith(":table/hatchway-prod")
        ((operator, keys),) = statement["Condition"].items()
        assert (operator, list(keys)) == ("ForAllValues:StringLike", ["dynamodb:LeadingKeys"])
        for pattern in listed(keys["dynamodb:LeadingKeys"]):
            kind, _, rest = pattern.partition("#")
            assert rest == "*", pattern
            yield kind


def test_every_method_of_the_stores_is_looked_at() -> None:
    for port in set(_HOLDERS.values()):
        assert {name for of, name in CALLS if of is port} == methods(port)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_may_do_what_its_code_reaches(
    default: Stacks, touched: Mapping[tuple[type, str], set[Touch]], family: str
) -> None:
    needed = {touch for method in reached(family) for touch in touched[method]}
    assert needed <= granted(default, family), "infra/table_use.py grants less than is used"


@pytest.mark.parametrize("family", USES)
def test_a_family_may_touch_no_kind_or_index_that_its_code_does_not(
    default: Stacks, touched: Mapping[tuple[type, str], set[Touch]], family: str
) -> None:
    needed = {touch for method in reached(family) for touch in touched[method]}
    for verbs in (
        {"GetItem"},
        {"BatchGetItem"},
        {"PutItem", "UpdateItem"},
        {"DeleteItem"},
        {"Query"},
    ):
        given = {where for verb, where in granted(default, family) if verb in verbs}
        used = {where for verb, where in needed if verb in verbs}
        assert given == used, "infra/table_use.py grants more than is used"


def test_only_what_is_taken_away_may_be_deleted(default: Stacks) -> None:
    deleting = {
        family: {where for verb, where in granted(default, family) if verb == "DeleteItem"}
        for family in FAMILIES
    }
    assert {family: kinds for family, kinds in deleting.items() if kinds} == {
        "connect": {"CONNECTION", "LIFECYCLE"},
        "push": {"LIFECYCLE"},
        "sweep": {"LIFECYCLE"},
        "sessions": {"ROLE"},
        "review": {"COUNT"},
        "documents": {"DOCUMENT"},
        "archive": {"LEASE"},
    }


def test_puts_and_updates_of_one_transaction_stand_in_one_statement(default: Stacks) -> None:
    for family, use in USES.items():
        if not use.writes:
            continue
        (writes,) = [
            statement
            for statement in default.service.statements_of(f"{family.capitalize()}Role")
            if "dynamodb:PutItem" in listed(statement["Action"])
        ]
        # Where a family may delete the same kinds, CDK makes it one statement with that too.
        assert {"dynamodb:PutItem", "dynamodb:UpdateItem"} <= set(listed(writes["Action"]))


def test_indexes_are_named_and_exist(default: Stacks) -> None:
    for family in USES:
        named = {where for verb, where in granted(default, family) if verb == "Query"}
        assert named <= set(INDEXES)
