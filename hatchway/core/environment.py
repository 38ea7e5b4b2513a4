"""What a client may say of its terminal and language: an allow list of names, and plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Entries that are taken, and characters of one value.
MAX_ENTRIES = 16
MAX_VALUE = 64

_NAME = re.compile(r"(?:TERM|LANG|LC_[A-Z]{1,24})\Z")
# Names of terminals and locales; none has a slash, so that no file can be named.
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")


def allowed(found: Mapping[str, object]) -> dict[str, str]:
    """What of `found` may cross: TERM, LANG and LC_*, where the value is a plain name."""
    good = {
        name: value
        for name, value in sorted(found.items())
        if _NAME.match(name) and isinstance(value, str) and _VALUE.match(value)
    }
    return dict(list(good.items())[:MAX_ENTRIES])
