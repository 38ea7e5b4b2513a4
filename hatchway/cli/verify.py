"""`hatchway verify`: whether recordings are what the archive stored, and whether any is missing."""

from __future__ import annotations

import argparse
import base64
import binascii
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import complain, print_json
from hatchway.core.errors import AccessDeniedException, Exit, ValidationException
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client import Hatchway
    from hatchway.client.recordings import Verified
    from hatchway.core.transcript.evidence import Manifest

NAME = "verify"
HELP = "check recordings: signature, hash chain, every chunk, and that none is missing"
#: Bytes of a file with a public key.
MAX_KEY = 16 * 1024
#: Days that the audit trail is compared for: sessions are described for 30.
DAYS = 29


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("session_id", nargs="?", metavar="SESSION")
    which.add_argument(
        "--all",
        action="store_true",
        help="every session that is described, and recordings that belong to none of them",
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="the public key to trust (PEM or DER), as KMS gave it; "
        "otherwise the one that the service names",
    )
    parser.add_argument(
        "--date", default="", metavar="DAY", help="of the start, for a session that is forgotten"
    )


def run(args: argparse.Namespace) -> int:
    """0 where everything is as it was stored; 1 where anything is not."""
    hatchway = service(args)
    recordings, key = hatchway.recordings, _key(args.key) if args.key else b""
    if args.all:
        started = _started(hatchway, int(time.time()))  # before the list: that one is longer
        sessions = [s for state in ("Active", "History") for s in hatchway.sessions(state)]
        found = recordings.verify_all(sessions, key=key, started=started)
    elif args.date:
        found = [recordings.verify(args.session_id, key=key, day=args.date)]
    else:
        found = recordings.verify_all_of([hatchway.session(args.session_id)], key=key)
    if args.output == "json":
        print_json({"Recordings": [each.members() for each in found]})
    else:
        for each in found:
            print("\n".join(_lines(each)))
    return int(Exit.FAILURE) if any(each.findings for each in found) else 0


def _started(hatchway: Hatchway, now: int) -> list[str]:
    """The sessions that the audit trail says were started, where the caller may look."""
    since = now - DAYS * 24 * 3600
    try:
        events = list(hatchway.audit(event="StartSession", since=since, until=now))
    except AccessDeniedException as error:
        complain(error.code, f"not compared with the audit trail: {error.message}")
        return []
    return [event.about for event in events if event.outcome == "allowed"]


def _lines(verified: Verified) -> list[str]:
    session = printable(verified.session_id)
    if verified.findings:
        said = [f"{f.fault.value}: {printable(f.text)}" for f in verified.findings]
        return [f"{session}: NOT as it was stored", *(f"  {line}" for line in said)]
    manifest = verified.manifest
    if manifest is None:
        return [f"{session}: nothing to check yet"]
    state = "complete" if manifest.final else f"as of checkpoint {manifest.checkpoint}"
    gaps = f", {manifest.gaps} gaps" if manifest.gaps else ""
    first = f"{session}: verified, {manifest.chunks} chunks, {state}{gaps}"
    return [first, *(f"  {line}" for line in _about_the_end(manifest))]


def _about_the_end(manifest: Manifest) -> list[str]:
    """What a signature cannot say: whether anything came after what is there."""
    if manifest.final and not manifest.end_known:
        return ["the node never said how much there was: a missing end would not show"]
    if manifest.unstored:
        return [f"the last {manifest.unstored} messages are not there yet"]
    return []


def _key(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(MAX_KEY)
    if not data.startswith(b"-----BEGIN"):
        return data
    try:
        return base64.b64decode(b"".join(data.split(b"-----")[2].split()), validate=True)
    except (IndexError, binascii.Error):
        raise ValidationException("--key is no public key.") from None
