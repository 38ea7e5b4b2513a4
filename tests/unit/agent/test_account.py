"""Who a session runs as: the one that was decided on, or nobody."""

from __future__ import annotations

import grp
import os
import pwd
import secrets
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.order import Order
from agent.ports import StartFailed
from agent.process.account import account, choose
from hatchway.core.documents import (
    Command,
    Document,
    HatchwayInputs,
    Inputs,
    PerPlatform,
    Properties,
    SessionType,
)
from tests.machine_user import MISSING, machine_user, remove

as_root = pytest.mark.skipif(bool(MISSING), reason=MISSING)
NOBODY_ELSE = "no-such-user-here"


def order(run_as: str = "", *, enabled: bool = False, **own: object) -> Order:
    inputs = Inputs(run_as_enabled=enabled, hatchway=HatchwayInputs(**own))  # type: ignore[arg-type]
    return Order(session="s", document=Document(inputs=inputs), run_as=run_as)


def why(asked: Order, configured: str = "nobody") -> str:
    with pytest.raises(StartFailed) as refused:
        choose(asked, configured)
    return refused.value.message


@as_root
class TestRunAs:
    def test_the_account_has_its_home_shell_and_all_of_its_groups(self) -> None:
        with machine_user("--shell", "/bin/sh") as (name, group):
            found = choose(order(name, enabled=True), "nobody")
            entry = pwd.getpwnam(name)
        assert (found.name, found.uid, found.gid) == (name, entry.pw_uid, entry.pw_gid)
        assert (found.home, found.shell, found.switch) == (f"/home/{name}", "/bin/sh", True)
        assert set(found.groups) > {entry.pw_gid}, group
        assert 0 not in found.groups

    def test_a_user_that_does_not_exist_is_named_and_nobody_takes_its_place(self) -> None:
        asked = order(NOBODY_ELSE, enabled=True, session_user="nobody")
        assert why(asked) == f"run-as user {NOBODY_ELSE} does not exist on this node"

    def test_run_as_without_a_user_is_refused_not_defaulted(self) -> None:
        assert "named no user" in why(order("", enabled=True, session_user="nobody"))

    def test_root_is_refused_unless_the_document_allows_it(self) -> None:
        assert "does not allow" in why(order("root", enabled=True))
        assert choose(order("root", enabled=True, run_as_root_allowed=True), "nobody").uid == 0

    def test_root_is_known_by_its_number_not_by_its_name(self) -> None:
        with machine_user("--non-unique", "--uid", "0") as (name, _):
            assert "is root" in why(order(name, enabled=True))

    def test_a_name_is_a_name_and_never_a_number(self) -> None:
        assert "does not exist" in why(order("0", enabled=True))

    def test_a_command_that_asks_for_root_gets_it_only_where_the_document_allows_root(self) -> None:
        command = Command(commands="id", run_as_elevated=True)
        for allowed in (False, True):
            document = Document(
                session_type=SessionType.NON_INTERACTIVE_COMMANDS,
                inputs=Inputs(hatchway=HatchwayInputs(run_as_root_allowed=allowed)),
                properties=Properties(linux=command),
            )
            asked = Order(session="s", document=document, run_as="nobody")
            if allowed:
                assert choose(asked, "nobody").uid == 0
            else:
                assert "elevated user root" in why(asked)


@as_root
class TestSessionUser:
    def test_without_run_as_it_is_the_configured_user(self) -> None:
        assert choose(order(), "nobody").name == "nobody"

    def test_the_documents_session_user_goes_before_the_configured_one(self) -> None:
        assert choose(order(session_user="daemon"), "nobody").name == "daemon"

    def test_a_missing_session_user_is_refused_unless_it_is_to_be_created(self) -> None:
        name = f"hw-{secrets.token_hex(4)}"
        assert why(order(session_user=name)) == f"session user {name} does not exist on this node"
        try:
            asked = order(session_user=name, create_session_user=True)
            made = choose(asked, "nobody")
            assert made.name == name
            assert Path(made.home).stat().st_uid == made.uid
            assert [grp.getgrgid(gid).gr_name for gid in made.groups] == [name]
            assert choose(asked, "nobody") == made, "a second session finds it"
        finally:
            remove(name)

    def test_a_name_that_cannot_be_created_is_a_refusal(self) -> None:
        asked = order(session_user="Bad Name", create_session_user=True)
        assert "could not be created" in why(asked)

    def test_the_documents_session_user_is_not_root_unless_allowed(self) -> None:
        assert "does not allow" in why(order(session_user="root"))

    def test_an_agent_that_is_root_must_be_told_who_sessions_run_as(self) -> None:
        assert "session_user" in why(order(), configured="")

    def test_a_configured_user_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(StartFailed):
            account(NOBODY_ELSE)


@pytest.mark.skipif(os.geteuid() == 0, reason="needs an agent that is not root")
def test_an_agent_that_is_not_root_runs_sessions_as_itself_only() -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert choose(order(me, enabled=True), "").switch is False
    assert "is not root" in why(order("root", enabled=True, run_as_root_allowed=True), "")


def test_documents_without_settings_ask_for_nothing() -> None:
    own = Document().inputs.hatchway
    asked: Mapping[str, object] = own.limits
    assert (own.shell, asked, own.login_shell) == (PerPlatform(), {}, False)
