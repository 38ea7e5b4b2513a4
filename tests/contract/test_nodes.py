"""The port NodeStore: what holds for the memory twin and for the table alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import InvalidNextToken, ValidationException
from lambdas.adapters.table import TableNodes
from lambdas.memory.nodes import MemoryNodes
from lambdas.ports import Node, NodeRole, NodeStore, Stale
from tests.contract.cloud import Cloud

ROLE = NodeRole(role_id="AROAWEB", role_arn="arn:aws:iam::000000000000:role/web/Web")


@pytest.fixture
def store(cloud: Cloud | None) -> NodeStore:
    if cloud is None:
        return MemoryNodes()
    return TableNodes(cloud.table(), client=cloud.client("dynamodb"))


def node(n: int, **changes: object) -> Node:
    return replace(Node(node_id=f"i-{n:017x}"), **changes)  # type: ignore[arg-type]


class TestNodes:
    def test_what_was_created_is_read_back_whole(self, store: NodeStore) -> None:
        made = node(
            1,
            role_id="AROAWEB",
            enrolment="ab" * 32,
            name="wéb 1",
            tags={"team": "web", "aws:autoscaling:groupName": ""},
            agent_version="1.0",
            agent_instance="one",
            platform="Linux",
            online=True,
            last_seen=1_800_000_000.125,
            online_since=1_799_999_999.9999999,
            presence_session="session",
            presence_version=0,
        )
        created = store.create(made)
        assert created == replace(made, version=1)
        assert store.get(made.node_id) == created

    def test_an_unknown_node_is_none(self, store: NodeStore) -> None:
        assert store.get("i-00000000000000000") is None

    def test_a_node_is_created_once(self, store: NodeStore) -> None:
        first = store.create(node(1, name="first"))
        with pytest.raises(Stale):
            store.create(node(1, name="second"))
        assert store.get(first.node_id) == first

    def test_of_two_updates_of_one_state_the_second_is_stale(self, store: NodeStore) -> None:
        read = store.create(node(1))
        written = store.update(read, replace(read, online=True))
        assert written.version == 2
        with pytest.raises(Stale):
            store.update(read, replace(read, online=False))
        assert store.get(read.node_id) == written

    def test_an_update_of_an_absent_node_is_stale(self, store: NodeStore) -> None:
        with pytest.raises(Stale):
            store.update(node(1, version=1), node(1))

    def test_an_update_cannot_change_the_id(self, store: NodeStore) -> None:
        read = store.create(node(1))
        with pytest.raises(ValueError, match="id"):
            store.update(read, node(2))

    def test_many_nodes_are_read_at_once(self, store: NodeStore) -> None:
        made = [store.create(node(n)) for n in range(1, 100)]
        asked = [node(n).node_id for n in range(1, 101)]
        assert store.get_all(asked) == {one.node_id: one for one in made}
        assert store.get_all([]) == {}
        with pytest.raises(ValueError, match="100"):
            store.get_all([*asked, node(101).node_id])

    def test_nodes_come_in_pages_in_the_order_of_their_ids(self, store: NodeStore) -> None:
        for n in (3, 1, 5, 2, 4):
            store.create(node(n))
        found: list[str] = []
        token = ""
        for _ in range(9):
            page = store.list(2, token)
            assert len(page.nodes) <= 2
            found += [n.node_id for n in page.nodes]
            token = page.next_token
            if not token:
                break
        assert found == [node(n).node_id for n in range(1, 6)]

    @pytest.mark.parametrize("size", [0, 201])
    def test_a_page_has_one_to_two_hundred_nodes(self, store: NodeStore, size: int) -> None:
        with pytest.raises(ValidationException):
            store.list(size)

    @pytest.mark.parametrize("bad", ["x", "W10=", "a" * 513])
    def test_a_made_up_token_is_refused(self, store: NodeStore, bad: str) -> None:
        with pytest.raises(InvalidNextToken):
            store.list(10, bad)


class TestRoles:
    def test_a_role_is_on_the_list_until_it_is_removed(self, store: NodeStore) -> None:
        store.put_role(ROLE)
        store.put_role(ROLE)
        assert store.role(ROLE.role_id) == ROLE
        assert list(store.roles()) == [ROLE]
        store.remove_role(ROLE.role_id)
        assert store.role(ROLE.role_id) is None
        assert list(store.roles()) == []
        store.remove_role(ROLE.role_id)

    def test_nodes_and_roles_do_not_mix(self, store: NodeStore) -> None:
        store.put_role(ROLE)
        store.create(node(1))
        assert [n.node_id for n in store.list(10).nodes] == [node(1).node_id]
        assert list(store.roles()) == [ROLE]
