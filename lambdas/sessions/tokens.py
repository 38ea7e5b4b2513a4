"""The next token for a session: made here, stored as a digest, told once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hatchway.core.documents import session_type
from hatchway.core.tokens import (
    SPARE_SECONDS,
    TOKEN_BYTES,
    TOKEN_SECONDS,
    new_token,
    token_digest,
)
from lambdas.ports import Session, Token
from lambdas.sessions.service import Service

#: How long after its owner last signed a request a session's stream gives out tokens, and how long
#: they open anything at all.
SIGNED_SECONDS = 12 * 3600.0


def make_token(
    service: Service, session: Session, *, reconnects: bool = False
) -> tuple[str, Token]:
    """A token's text, for the caller's eyes only, and the record that the store keeps."""
    text = new_token(service.random(TOKEN_BYTES))
    return text, Token(
        digest=token_digest(text),
        session_id=session.session_id,
        expires=service.clock() + TOKEN_SECONDS,
        reconnects=reconnects,
        generation=session.generation,
    )


def make_spare(service: Service, session: Session, source_ip: str) -> tuple[str, Token]:
    """The same for a token that is kept until the connection in use is lost: it lives longer, opens
    a connection from `source_ip` alone, and its owner's permission is asked again when it does."""
    text, token = make_token(service, session, reconnects=True)
    expires = min(service.clock() + SPARE_SECONDS, signed(session) + SIGNED_SECONDS)
    return text, replace(token, expires=expires, source_ip=source_ip, spare=True)


def signed(session: Session) -> float:
    """When the owner last signed a request for this session's tokens."""
    return max(session.proven, session.started)


def opened(service: Service, session: Session, token: str) -> Mapping[str, object]:
    """The answer of StartSession and ResumeSession."""
    return {
        "SessionId": session.session_id,
        "TokenValue": token,
        "StreamUrl": service.stream_url,
        "SessionType": session_type(session.document),
    }
