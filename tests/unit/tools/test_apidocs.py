"""The generated documents are the description's, and valid by the rules of their formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from hatchway.core.api import ACTIONS, LIFECYCLE_ACTIONS, NOTICES, OPERATIONS, VERSION
from tools.apidocs import ROOT, documents, text

GENERATED = documents()


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_a_generated_file_is_what_the_description_says_now(path: Any) -> None:
    found = (ROOT / path).read_text(encoding="utf-8")
    assert found == text(GENERATED[path]), "run python -m tools.apidocs"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / name).read_text(encoding="utf-8"))
    return found


# --- OpenAPI ------------------------------------------------------------------------------------


def test_the_openapi_document_is_valid() -> None:
    validate(load("openapi.json"))


def test_the_openapi_document_has_every_operation_and_its_permission() -> None:
    paths = load("openapi.json")["paths"]
    for operation in OPERATIONS:
        described = paths[operation.path][operation.method.lower()]
        assert described["operationId"] == operation.name
        assert described["x-hatchway-permission"]["action"] == operation.action
        statuses = {str(kind.status) for kind in operation.errors} | {"200"}
        assert set(described["responses"]) == statuses


def test_only_signed_requests_are_described() -> None:
    assert load("openapi.json")["security"] == [{"sigv4": []}]


# --- AsyncAPI -----------------------------------------------------------------------------------


def references(value: object) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for one in value.values():
                yield from references(one)
        case list():
            for one in value:
                yield from references(one)


def resolved(document: dict[str, Any], reference: str) -> object:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = load("asyncapi.json")
    found = set(references(document))
    assert found
    for reference in found:
        assert resolved(document, reference)


def test_the_asyncapi_document_has_every_action_with_its_answer() -> None:
    document = load("asyncapi.json")
    for action in ACTIONS:
        operation = document["operations"][action.name]
        assert operation["action"] == "receive"
        answers = [resolved(document, m["$ref"]) for m in operation["reply"]["messages"]]
        assert len(answers) == 2
    notice = document["components"]["messages"]["notice"]["payload"]
    assert notice["properties"]["notice"]["enum"] == list(NOTICES)


def test_the_asyncapi_document_has_every_action_of_a_lifecycle_connection() -> None:
    document = load("asyncapi.json")
    for action in LIFECYCLE_ACTIONS:
        operation = document["operations"][f"lifecycle.{action.name}"]
        request: Any = resolved(document, operation["messages"][0]["$ref"])
        payload: Any = resolved(document, request["$ref"])
        assert action.permission is not None
        taken = {member.name for member in action.permission.takes}
        assert set(payload["payload"]["properties"]) == taken | {"action", "RequestId"}


def test_the_payloads_of_the_asyncapi_document_are_json_schemas() -> None:
    document = load("asyncapi.json")
    for message in document["components"]["messages"].values():
        Draft202012Validator.check_schema(message["payload"])
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


# --- the SDK's service model --------------------------------------------------------------------


@pytest.fixture(scope="module")
def client() -> Any:
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    loader.search_paths.append(str(ROOT / "hatchway/client/data"))
    session.set_credentials("AKIAEXAMPLE", "not a secret")
    return session.create_client(
        "hatchway", region_name="us-east-1", endpoint_url="https://api.invalid/local"
    )


def test_botocore_makes_a_client_of_the_service_model(client: Any) -> None:
    assert client.meta.service_model.api_version == VERSION
    assert client.meta.service_model.signing_name == "execute-api"
    assert set(client.meta.method_to_api_mapping.values()) == {o.name for o in OPERATIONS}


def test_the_listing_operations_paginate(client: Any) -> None:
    for method in ("describe_sessions", "describe_nodes"):
        assert client.can_paginate(method)


def test_every_error_is_an_exception_of_the_client(client: Any) -> None:
    for operation in OPERATIONS:
        for kind in operation.errors:
            assert getattr(client.exceptions, kind.code)


def test_the_service_model_knows_what_is_required(client: Any) -> None:
    shape = client.meta.service_model.operation_model("StartSession").input_shape
    assert ParamValidator().validate({}, shape).has_errors()
    assert not ParamValidator().validate({"Target": "i-0123456789abcdef0"}, shape).has_errors()
