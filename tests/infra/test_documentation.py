"""What the pages tell an operator to type, look at and choose is what the app knows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from infra.config import InvalidContext
from infra.context import read
from infra.packaging import ROOT
from tests.infra.templates import Stacks

OPERATIONS = Path(ROOT, "docs", "operations.md")
README = Path(ROOT, "README.md")
#: What `make deploy` adds.
LOOKED_UP = {"iotDataHost": "a1b2c3-ats.iot.us-east-1.amazonaws.com"}


def commands(page: Path) -> list[dict[str, str]]:
    """The context of each `make deploy ARGS='…'`; one line, as make takes it."""
    found = []
    for given in re.findall(r"^make deploy ARGS='([^'\n]*)'", page.read_text(), re.MULTILINE):
        words = shlex.split(given.replace("…", "0123456789abcdef0"))
        assert words[::2] == ["-c"] * (len(words) // 2)
        found.append(dict(word.split("=", 1) for word in words[1::2]))
    return found


@pytest.mark.parametrize("page", [OPERATIONS, README], ids=lambda page: page.name)
def test_the_deploy_commands_of_the_pages_make_what_nodes_can_reach(page: Path) -> None:
    assert len(commands(page)) == page.read_text().count("make deploy ARGS=")
    assert len(commands(page)) >= 2
    for context in commands(page):
        read({**LOOKED_UP, **context})


def test_the_choices_of_the_operator_s_page_are_known() -> None:
    choices = re.findall(r"^\| `([a-z]\w+)` \|", OPERATIONS.read_text(), re.MULTILINE)
    assert "network" in choices
    with pytest.raises(InvalidContext) as refused:
        read({"noSuchKey": "1"})
    known = refused.value.message.partition("known are ")[2].rstrip(".").split(", ")
    assert set(choices) <= set(known)
    named = set(re.findall(r"`([a-zA-Z]+)`", OPERATIONS.read_text()))
    assert set(known) <= named


def test_the_alarms_and_secrets_of_the_operator_s_page_exist(default: Stacks) -> None:
    page = OPERATIONS.read_text()
    made = {each["AlarmName"] for each in default.service.properties("AWS::CloudWatch::Alarm")}
    named = set(re.findall(r"^\| alarm `([^`]+)`", page, re.MULTILINE))
    families = {name for name in made if name.endswith("-errors")}
    assert named == (made - families) | {"hatchway-prod-…-errors"}
    secrets = {each["Name"] for each in default.data.properties("AWS::SecretsManager::Secret")}
    assert secrets
    for name in secrets:
        assert f"`{name}`" in page
