"""The stream's JSON routes and notices."""

from __future__ import annotations

from hatchway.core.api.members import OPENED
from hatchway.core.api.sessions import RESUME_SESSION, TERMINATE_SESSION
from hatchway.core.api.vocabulary import SESSION
from hatchway.core.shapes import Action, Member, Number
from hatchway.core.tokens import SPARE_SECONDS

#: The token in its answer is a spare: not OPENED's for 60 s.
_SPARE = Member(
    name="ExpiresIn",
    type=Number(name="ExpiresIn", least=0, most=SPARE_SECONDS),
    doc="Seconds for which this token is good, once, unless a later one was given out.",
)

ACTIONS: tuple[Action, ...] = (
    Action(name="ping", doc="Is answered, and nothing else happens."),
    Action(
        name="describeSession",
        doc="Describes the connection's session.",
        gives=SESSION.members,
    ),
    Action(
        name="resumeSession",
        doc="Gives the owner a token for the next connection, to be kept until this one is lost: "
        "for the connection's own address, and until 12 hours after the owner last signed. "
        "Whether the owner may resume is asked now, and again when the token is used. A session "
        "has one such token: each takes the place of the one before.",
        gives=(*OPENED, _SPARE),
        permission=RESUME_SESSION,
    ),
    Action(
        name="terminateSession",
        doc="Ends the connection's session for good; the connection is closed after the answer.",
        gives=TERMINATE_SESSION.gives,
    ),
)
#: On a session's connection; those of a lifecycle connection are in `connections`.
NOTICES = {
    "nodeOffline": "The node's agent is not connected; output will not come until it is back.",
    "nodeOnline": "The node's agent is connected again.",
    "accessEnding": "The owner's permission ends in so many `Seconds`, and the session with it.",
    "idleEnding": "The idle time is over in so many `Seconds`; any key begins it anew.",
    "durationEnding": "The longest duration is over in so many `Seconds`, and with it the session.",
    "takenOver": "Another client of the same owner has taken the session over.",
}
