"""Who may start a session: one decision for StartSession, and for as long as the session lasts."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core import api, documents
from hatchway.core.policy import ContextValue
from lambdas.access import Access
from lambdas.conditions import tag_context
from lambdas.ports import InstanceFacts

_ACTION = api.START_SESSION.action
_CHECK = "ssm:SessionDocumentAccessCheck"


def permit(
    access: Access,
    place: documents.Place,
    node: str,
    tags: Mapping[str, ContextValue],
    document: str,
) -> None:
    """Denied unless the caller may start sessions on `node`; `document` is "" where none was
    named.

    As in Systems Manager: the node alone suffices for the default document, unless the policy
    asks with `ssm:SessionDocumentAccessCheck` for the document to be allowed as well.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-sessiondocumentaccesscheck.html
    """
    instance = instance_arn(place, node)
    unchecked = access.decide(_ACTION, instance, {**tags, _CHECK: "false"})
    if unchecked.allowed and not document:
        return
    checked = access.decide(_ACTION, instance, {**tags, _CHECK: "true"})
    if not checked.allowed:
        asked = "true" if document else "false"
        raise access.denial(
            _ACTION, instance, access.explain(_ACTION, instance, {**tags, _CHECK: asked})
        )
    access.demand(_ACTION, documents.arn(document or documents.DEFAULT, place), {_CHECK: "true"})


def instance_arn(place: documents.Place, node: str) -> str:
    return f"arn:{place.partition}:ec2:{place.region}:{place.account}:instance/{node}"


def instance_tags(facts: InstanceFacts | None) -> dict[str, ContextValue]:
    """A node's tags as EC2 has them. An instance that EC2 does not know has none: a policy that
    asks for tags then denies, as for an instance that lacks them."""
    return tag_context(facts.tags if facts is not None else {})
