"""Identifiers are checked where they come in; every error has a code of its own."""

import pytest

from hatchway.core import errors, names
from hatchway.core.errors import HatchwayError, UnsupportedNodeType, ValidationException

ODD = "a+b=c,d.e@f"


@pytest.mark.parametrize("node", ["i-0123456789abcdef0", "i-01234567"])
def test_instance_ids_are_nodes(node: str) -> None:
    assert names.node_id(node) == node


@pytest.mark.parametrize(
    "node",
    ["", "i-", "i-0123456789ABCDEF0", "i-012345678", "i-0123456789abcdef0\n", None, 7, "web"],
)
def test_other_texts_are_no_nodes(node: object) -> None:
    with pytest.raises(ValidationException):
        names.node_id(node)


def test_hybrid_nodes_are_a_typed_error_of_their_own() -> None:
    with pytest.raises(UnsupportedNodeType):
        names.node_id("mi-0123456789abcdef0")


@pytest.mark.parametrize("name", ["john", ODD, "x" * 64, "a-b", "x-0123456789abcdef0"])
def test_a_session_id_is_the_name_and_17_digits(name: str) -> None:
    session = names.new_session_id(name, bytes(range(9)))
    assert session == f"{name}-00010203040506070"
    assert names.session_id(session) == session
    assert names.session_suffix(session) == "00010203040506070"


@pytest.mark.parametrize(
    "session",
    ["john", "john-0", "-" + "0" * 17, "x" * 65 + "-" + "0" * 17, None, "j/n-" + "0" * 17],
)
def test_other_texts_are_no_session_ids(session: object) -> None:
    with pytest.raises(ValidationException):
        names.session_id(session)


def test_a_session_id_takes_exactly_its_random_bytes() -> None:
    with pytest.raises(ValueError, match="9 random bytes"):
        names.new_session_id("john", b"")


def test_documents_and_stages_are_checked() -> None:
    assert names.document_name("SSM-SessionManagerRunShell") == "SSM-SessionManagerRunShell"
    assert names.stage_name("prod") == "prod"
    for text in ("", "ab", "x" * 129, "a b c", None):
        with pytest.raises(ValidationException):
            names.document_name(text)
    for text in ("", "1a", "Prod", "a-b", "x" * 17, None):
        with pytest.raises(ValidationException):
            names.stage_name(text)


def test_topics_and_client_ids_all_stand_under_the_node() -> None:
    topics = names.Topics("prod", "i-0123456789abcdef0")
    session = f"{ODD}-0123456789abcdef0"
    root = "hatchway/prod/i-0123456789abcdef0"
    assert topics.control == f"{root}/control"
    assert topics.control_client == root
    assert topics.data(session) == f"{root}/data/0123456789abcdef0"
    assert topics.data_client(session) == f"{root}/0123456789abcdef0"
    assert not set("+#") & set(topics.data(session) + topics.data_client(session))


@pytest.mark.parametrize(
    "client",
    [
        "",
        "hatchway/prod",
        "other/prod/i-0123456789abcdef0",
        "hatchway/Prod/i-0123456789abcdef0",
        "hatchway/prod/web",
        "hatchway/prod/mi-0123456789abcdef0",
        "hatchway/prod/i-0123456789abcdef0/x",
    ],
)
def test_only_a_control_client_names_a_node(client: str) -> None:
    assert names.Topics.of_control_client(client) is None


def test_a_control_client_names_its_node() -> None:
    topics = names.Topics("prod", "i-0123456789abcdef0")
    assert names.Topics.of_control_client(topics.control_client) == topics


def test_an_owner_is_the_account_and_the_whole_userid() -> None:
    assert names.Owner("1", "AROA:bob").key == "1/AROA:bob"


def every(root: type[HatchwayError]) -> list[type[HatchwayError]]:
    return [kind for sub in root.__subclasses__() for kind in (sub, *every(sub))]


def test_codes_are_stable_and_lead_back_to_their_class() -> None:
    for kind in every(HatchwayError):
        if kind.__module__ == "hatchway.core.errors" and kind is not errors.ClientFault:
            assert errors.by_code(kind.code) is kind
            assert kind().message
    assert errors.by_code("Unheard") is errors.InternalServerError


def test_an_error_shows_its_own_message() -> None:
    assert errors.DoesNotExistException("No session x.").message == "No session x."
    assert str(errors.TicketExpired()) == "The ticket has expired; renew it."
