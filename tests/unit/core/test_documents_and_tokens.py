"""Session documents by name and ARN, and stream tokens."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from hatchway.core import documents
from hatchway.core.documents import DEFAULT, Place
from hatchway.core.errors import InvalidDocument, InvalidParameters
from hatchway.core.tokens import is_token, new_token, token_digest

HERE = Place("aws", "eu-west-1", "123456789012")
ARN = f"arn:aws:ssm:eu-west-1:123456789012:document/{DEFAULT}"


@pytest.mark.parametrize("text", [DEFAULT, ARN])
def test_a_document_is_named_by_name_or_arn(text: str) -> None:
    assert documents.reference(text, HERE) == DEFAULT


def test_documents_of_aws_have_no_account_in_their_arn() -> None:
    shared = "arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession"
    assert documents.arn("AWS-StartSSHSession", HERE) == shared
    assert documents.reference(shared, HERE) == "AWS-StartSSHSession"
    assert documents.arn(DEFAULT, HERE) == ARN


@pytest.mark.parametrize(
    "text",
    [
        ARN.replace("123456789012", "999999999999"),
        ARN.replace("eu-west-1", "us-east-1"),
        ARN.replace("arn:aws:", "arn:aws-cn:"),
        ARN.replace("123456789012", ""),
        ARN.replace("document/", "parameter/"),
        ARN + "\n",
        "arn:aws:ssm:eu-west-1:123456789012:document/AWS-StartSSHSession",
        "a/b",
        "",
    ],
)
def test_a_document_of_elsewhere_is_invalid(text: str) -> None:
    with pytest.raises(InvalidDocument):
        documents.reference(text, HERE)


def test_the_default_document_has_the_inputs_and_defaults_of_the_original() -> None:
    document = json.loads(documents.resolve(DEFAULT, {}))
    assert (document["schemaVersion"], document["sessionType"]) == ("1.0", "Standard_Stream")
    inputs = document["inputs"]
    assert inputs["idleSessionTimeout"] == "20"
    assert inputs["runAsEnabled"] is False
    assert set(inputs) == {
        "s3BucketName",
        "s3KeyPrefix",
        "s3EncryptionEnabled",
        "cloudWatchLogGroupName",
        "cloudWatchEncryptionEnabled",
        "cloudWatchStreamingEnabled",
        "idleSessionTimeout",
        "maxSessionDuration",
        "kmsKeyId",
        "runAsEnabled",
        "runAsDefaultUser",
        "shellProfile",
        "hatchway",
    }
    assert inputs["hatchway"]["banner"] is True
    assert documents.max_session_duration(json.dumps(document)) == ""


def test_there_is_no_other_document_yet() -> None:
    with pytest.raises(InvalidDocument):
        documents.resolve("AWS-StartSSHSession", {})


def test_the_default_document_takes_no_parameters() -> None:
    with pytest.raises(InvalidParameters):
        documents.resolve(DEFAULT, {"portNumber": ["22"]})


def test_the_duration_of_a_document_that_limits_it() -> None:
    assert documents.max_session_duration('{"inputs":{"maxSessionDuration":"60"}}') == "60"
    assert documents.max_session_duration("{}") == ""
    assert documents.max_session_duration("no document") == ""


# --- tokens ---------------------------------------------------------------------------------------


def test_a_token_is_256_bits_in_base64url_without_padding() -> None:
    for random in (bytes(32), b"\xff" * 32, bytes(range(32))):
        token = new_token(random)
        assert len(token) == 43
        assert is_token(token)
        assert base64.urlsafe_b64decode(token + "=") == random


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_token_is_never_made_of_fewer_or_more_bits(size: int) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        new_token(bytes(size))


@pytest.mark.parametrize("text", ["", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "Ä" * 43])
def test_what_cannot_be_a_token(text: str) -> None:
    assert not is_token(text)


def test_the_digest_is_sha_256_of_the_text() -> None:
    assert token_digest("abc") == hashlib.sha256(b"abc").hexdigest()
