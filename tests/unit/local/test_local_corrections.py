"""What the launcher corrects of the embedded AWS, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MAKE_A_CHANGE = """
dynamodb._tables["t"] = {
    "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t",
    "pk_name": "pk", "sk_name": None, "items": {},
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
}
dynamodb._emit_stream_event("t", "INSERT", None, {"pk": {"S": "one"}})
save_state("dynamodb", dynamodb.get_state())
"""
LOOK_AGAIN = """
dynamodb.load_persisted_state(load_state("dynamodb"))
[record] = dynamodb.stream_records_since("t", 0, 10)
print(record["dynamodb"]["Keys"]["pk"]["S"], dynamodb.stream_end_position("t"))
"""


def run(code: str, directory: Path) -> str:
    """What `code` prints, in an embedded AWS's process with its state in `directory`."""
    begin = (
        "from local import corrections; corrections.apply()\n"
        "from ministack.core.persistence import load_state, save_state\n"
        "from ministack.services import dynamodb\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", begin + code],
        env={**os.environ, "PERSIST_STATE": "1", "STATE_DIR": str(directory)},
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout


def test_what_a_table_s_stream_holds_outlives_a_restart(tmp_path: Path) -> None:
    run(MAKE_A_CHANGE, tmp_path)
    assert run(LOOK_AGAIN, tmp_path).split() == ["one", "1"]
