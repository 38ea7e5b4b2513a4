"""The next token for a session: made here, stored as a digest, told once."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.documents import session_type
from hatchway.core.tokens import TOKEN_BYTES, TOKEN_SECONDS, new_token, token_digest
from lambdas.ports import Session, Token
from lambdas.sessions.service import Service


def make_token(
    service: Service, session: Session, source_ip: str = "", *, reconnects: bool = False
) -> tuple[str, Token]:
    """A token's text, for the caller's eyes only, and the record that the store keeps. It opens a
    connection from `source_ip` alone, where one is given."""
    text = new_token(service.random(TOKEN_BYTES))
    return text, Token(
        digest=token_digest(text),
        session_id=session.session_id,
        expires=service.clock() + TOKEN_SECONDS,
        source_ip=source_ip,
        reconnects=reconnects,
        generation=session.generation,
    )


def opened(service: Service, session: Session, token: str) -> Mapping[str, object]:
    """The answer of StartSession and ResumeSession."""
    return {
        "SessionId": session.session_id,
        "TokenValue": token,
        "StreamUrl": service.stream_url,
        "SessionType": session_type(session.document),
    }
