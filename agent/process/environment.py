"""All of what a session's processes find in their environment: nothing of the agent's own."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from pathlib import Path

from agent.process.account import Account

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TERM = "xterm-256color"
LANG = "C.UTF-8"
#: Where descriptions of terminals are kept: by first letter, or by its number in hexadecimal.
TERMINFO = (
    "/etc/terminfo",
    "/lib/terminfo",
    "/usr/lib/terminfo",
    "/usr/share/terminfo",
    "/usr/local/share/terminfo",
)
#: Locale categories asked about: LC_CTYPE, which decides what a character is.
_CTYPE_MASK = 1


def environment(
    user: Account, told: Mapping[str, str], documents: Mapping[str, str], shell: str = ""
) -> dict[str, str]:
    """What the client told of its terminal and language, as far as this node knows it; what the
    document sets goes before it. Who the user is, is for nobody to set."""
    return {
        "PATH": PATH,
        "TERM": TERM,
        "LANG": LANG,
        **_known(told),
        **documents,
        "HOME": user.home,
        "SHELL": shell or user.shell,
        "USER": user.name,
        "LOGNAME": user.name,
    }


def _known(told: Mapping[str, str]) -> dict[str, str]:
    """A terminal or a language that this node does not know breaks programs: its own are better."""
    return {
        name: value
        for name, value in told.items()
        if (known_terminal(value) if name == "TERM" else known_locale(value))
    }


def known_terminal(name: str) -> bool:
    """Whether programs find a description of the terminal; true where there are none at all."""
    folders = [Path(folder) for folder in TERMINFO if Path(folder).is_dir()]
    if not name or "/" in name or name.startswith("."):
        return False
    places = (name[0], f"{ord(name[0]):x}")
    return not folders or any((f / place / name).exists() for f in folders for place in places)


def known_locale(name: str) -> bool:
    """Whether the C library has the locale; asked without changing the agent's own."""
    library = _library()
    if library is None or not name.isascii() or "/" in name:
        return False
    made = library.newlocale(_CTYPE_MASK, name.encode(), None)
    if made:
        library.freelocale(ctypes.c_void_p(made))
    return bool(made)


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Loaded with the first session that asks."""
    try:
        library = ctypes.CDLL(None)
        library.newlocale.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        library.newlocale.restype = ctypes.c_void_p
        library.freelocale.argtypes = (ctypes.c_void_p,)
    except (OSError, AttributeError):
        return None
    return library
