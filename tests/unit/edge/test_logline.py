"""One line per invocation, whatever happens in it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from hatchway.core.errors import ClientGone, InternalServerError
from lambdas import logline
from lambdas.logline import Field, Line


def test_a_plain_line_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    with logline.line("relay", logline.plain) as line:
        line.note(session="a\nb")
        line.count("frames", 2)
        line.count("frames")
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "level": "INFO",
        "family": "relay",
        "session": "a\nb",
        "frames": 3,
    }


def test_a_block_that_raises_still_writes_and_says_where_but_not_what() -> None:
    written: list[tuple[str, Mapping[str, Field]]] = []
    with (
        pytest.raises(RuntimeError),
        logline.line("sweep", lambda level, fields: written.append((level, fields))),
    ):
        raise RuntimeError("typed content")
    [(level, fields)] = written
    assert level == "ERROR"
    assert fields["error"] == "RuntimeError"
    assert "typed content" not in json.dumps(dict(fields))


def test_the_level_only_rises() -> None:
    line = Line("uplink")
    line.refused(ClientGone())
    assert line.level == "INFO"
    line.warning()
    assert line.level == "WARNING"
    line.refused(InternalServerError())
    line.warning()
    assert line.level == "ERROR"


def test_texts_are_cut() -> None:
    line = Line("uplink")
    line.note(reason="x" * (logline.MAX_TEXT + 1))
    assert len(str(line.fields["reason"])) == logline.MAX_TEXT
