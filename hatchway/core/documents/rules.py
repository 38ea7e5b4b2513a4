"""Preference rules: which document a session has whose request names none.

They are kept like a document, under a name of their own. The first rule that matches wins; where
none does, the preferences of the deployment stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hatchway.core.documents.fields import Fields
from hatchway.core.documents.model import SCHEMA_VERSION
from hatchway.core.errors import InvalidDocument, InvalidDocumentSchemaVersion
from hatchway.core.policy.patterns import matcher, tokenize

#: The document that holds them.
RULES = "Hatchway-PreferenceRules"
MAX_RULES = 100
MAX_PRINCIPALS = 50
MAX_TAGS = 10
MAX_TAG_VALUES = 50

_DOCUMENT = re.compile(r"[a-zA-Z0-9_.-]{3,128}(?::[1-9][0-9]{0,7})?")

Tags = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: all of its conditions must hold, each of them for one of its patterns (`*`, `?`).

    `principals` are ARNs of users, roles or role sessions; `document` is a name, or `name:version`.
    """

    document: str
    principals: tuple[str, ...] = ()
    principal_tags: Tags
    node_tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who starts a session where. `arns` are a user's, or a role session's and its role's;
    `principal_tags` is None where they cannot be known."""

    arns: Sequence[str]
    principal_tags: Mapping[str, str] | None
    node_tags: Mapping[str, str]


def parse(content: object) -> tuple[Rule, ...]:
    """InvalidDocumentContent, with the path of the field, for what is not a list of rules."""
    fields = Fields(content)
    if fields.text("schemaVersion") != SCHEMA_VERSION:
        raise InvalidDocumentSchemaVersion("schemaVersion is not 1.0.")
    fields.text("description", most=1024)
    rules = fields.objects("rules", most=MAX_RULES)
    fields.close()
    return tuple(_rule(each) for each in rules)


def read(text: str) -> tuple[Rule, ...]:
    """The rules that were stored as JSON."""
    return parse(json.loads(text))


def chosen(rules: Sequence[Rule], subject: Subject) -> str:
    """The first matching rule's document, "" where none matches. InvalidDocument where that hangs
    on a tag of the principal that cannot be known: none of the rules is passed over on a guess."""
    for rule in rules:
        if not _named(rule.principals, subject.arns) or not _tagged(
            rule.node_tags, subject.node_tags
        ):
            continue
        if rule.principal_tags and subject.principal_tags is None:
            raise InvalidDocument(
                "Which preferences apply hangs on tags of the principal, which cannot be known for "
                "this role: name a document, or let the rule name principals by ARN."
            )
        if _tagged(rule.principal_tags, subject.principal_tags or {}):
            return rule.document
    return ""


def _named(patterns: Sequence[str], arns: Sequence[str]) -> bool:
    return not patterns or any(_like(each, arn) for each in patterns for arn in arns)


def _tagged(wanted: Tags, tags: Mapping[str, str]) -> bool:
    return all(
        name in tags and any(_like(each, tags[name]) for each in patterns)
        for name, patterns in wanted.items()
    )


def _like(pattern: str, text: str) -> bool:
    return matcher(tokenize(pattern, variables=False, wildcards=True))(text)


def _rule(at: Fields) -> Rule:
    rule = Rule(
        document=at.text("document", form=_DOCUMENT),
        principals=at.texts("principals", most=MAX_PRINCIPALS, length=2048),
        principal_tags=_tags(at.within("principalTags")),
        node_tags=_tags(at.within("nodeTags")),
    )
    if not rule.document or rule.document == RULES:
        raise at.fail("document", "does not name a session document")
    at.close()
    return rule


def _tags(at: Fields) -> Tags:
    names = list(at)
    if len(names) > MAX_TAGS:
        raise at.fail("", f"has more than {MAX_TAGS} members")
    found = {name: at.texts(name, most=MAX_TAG_VALUES, length=256) for name in names}
    for name, values in found.items():
        if not values:
            raise at.fail(name[:64], "has no value")
    return found
