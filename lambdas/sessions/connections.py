"""OpenConnection: a one-time token for a caller's own lifecycle connection."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.errors import AccessDeniedException
from hatchway.core.tokens import TOKEN_BYTES, TOKEN_SECONDS, new_token, token_digest
from lambdas.access import Access
from lambdas.ports import LifecycleToken
from lambdas.request import Request
from lambdas.sessions.service import Service


def open_connection(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """A token bound to the caller and the caller's address. API Gateway's permission for this
    path is all it takes: what is asked on the connection is permitted one by one."""
    if service.visitors is None:
        raise AccessDeniedException("This deployment has no lifecycle connections.")
    if not access.about.source_ip:
        raise AccessDeniedException("The caller's address is not known.")
    text = new_token(service.random(TOKEN_BYTES))
    service.visitors.issue(
        LifecycleToken(
            digest=token_digest(text),
            owner=access.principal.owner,
            arn=access.principal.arn,
            about=access.about,
            api=request.api,
            expires=service.clock() + TOKEN_SECONDS,
        )
    )
    return {"TokenValue": text, "StreamUrl": service.stream_url}
