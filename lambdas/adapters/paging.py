"""Page tokens: opaque to the caller and good for the query they were issued for, no other.

They carry a place in an index and no authority, so they are checked but not authenticated.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from hatchway.core.errors import InvalidNextToken, ValidationException

#: Longest token taken, in characters; the longest issued has about 300.
MAX_TOKEN = 512
#: Most elements of a page, as DescribeSessions has it.
MAX_RESULTS = 200
_SCOPE_DIGITS = 16


def issue(scope: str, place: str) -> str:
    """The token for going on behind `place` in the query that `scope` describes."""
    return base64.urlsafe_b64encode(json.dumps([_digest(scope), place]).encode()).decode()


def place(token: str, scope: str) -> str:
    """The place in a token, "" for no token; InvalidNextToken where it is not `scope`'s."""
    if not token:
        return ""
    if len(token) > MAX_TOKEN:
        raise InvalidNextToken()
    try:
        fields = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidNextToken() from None
    match fields:
        case [str(digest), str(found)] if digest == _digest(scope) and found:
            return found
    raise InvalidNextToken()


def check_size(max_results: int) -> None:
    """ValidationException unless a page of this size may be asked for."""
    if not 1 <= max_results <= MAX_RESULTS:
        raise ValidationException(f"MaxResults is a number from 1 to {MAX_RESULTS}.")


def _digest(scope: str) -> str:
    return hashlib.sha256(scope.encode()).hexdigest()[:_SCOPE_DIGITS]
