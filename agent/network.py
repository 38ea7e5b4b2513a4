"""What a session knows of its node's own network: from its calls, and its push connection."""

from __future__ import annotations

#: Seconds without reaching anybody after which the network counts as having been away.
NOTICED = 2.0


class OwnNetwork:
    """A client's silence is no news while it is `away`."""

    def __init__(self) -> None:
        self._unreached: float | None = None
        self._deaf = False

    @property
    def away(self) -> bool:
        return self._deaf or self._unreached is not None

    def down(self) -> None:
        """Nothing can arrive."""
        self._deaf = True

    def up(self) -> bool:
        """Messages can arrive; whether they could not before."""
        was, self._deaf = self._deaf, False
        return was

    def called(self, unreached: bool, now: float) -> bool:
        """A call reached nobody, or somebody; whether that is so again after a while."""
        since = self._unreached
        if unreached:
            self._unreached = now if since is None else since
            return False
        self._unreached = None
        return since is not None and now - since >= NOTICED
