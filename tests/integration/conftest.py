"""Each file begins with no session of another: a caller may have so many at once and no more."""

from __future__ import annotations

import pytest

from local import emulator
from local.identities import ADMIN
from local.places import Places
from local.stack import Stack

#: Pages of sessions to end; there are 50 in one.
MAX_PAGES = 20


@pytest.fixture(scope="module", autouse=True)
def _no_session_of_another_file(request: pytest.FixtureRequest, local_places: Places) -> None:
    """Nothing where the stacks do not run yet."""
    if emulator.running(local_places) is None:
        return
    stack: Stack = request.getfixturevalue("stack")
    more: dict[str, object] = {}
    for _ in range(MAX_PAGES):
        reply = stack.people(ADMIN).call("POST", "/sessions/terminate", {"All": True, **more})
        assert reply.status == 200, (reply.status, reply.code)
        if not reply.fields.get("NextToken"):
            return
        more = {"NextToken": reply.fields["NextToken"]}
