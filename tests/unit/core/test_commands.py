"""What a command needs of the data channel: two streams apart, the end of input, signals."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core import channel as ch
from hatchway.core.channel import ChannelSettings, DataChannel, Side
from hatchway.core.documents import resolve, session_type
from hatchway.core.environment import MAX_ENTRIES, allowed
from hatchway.core.sending import MAX_WAITING
from hatchway.core.wire import FlagValue, PayloadType, parse
from tests.unit.core.original import original_agent, original_client
from tests.unit.core.test_original_peers import Bridge
from tests.unit.core.wirepair import Faults, Wire, pump

ORIGINAL = ChannelSettings(epoch=1.7e9, extensions=False)
SIGNALS = [value for value in FlagValue if value.signal]


def opened(faults: Faults | None = None, seed: int = 0, **ends: ChannelSettings) -> Wire:
    wire = Wire(faults, seed, **ends)
    wire.client.resize(80, 24)
    wire.connect()
    wire.run(60, done=lambda: wire.client.opened and wire.agent.opened)
    return wire


@settings(max_examples=5 * settings().max_examples, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.3),
    repeat=st.floats(0, 0.3),
    jitter=st.floats(0, 0.3),
    cut_every=st.sampled_from([0.0, 0.3, 1.0]),
    pieces=st.lists(st.tuples(st.booleans(), st.integers(0, 20_000)), max_size=12),
    up=st.integers(0, 60_000),
    signals=st.lists(st.sampled_from(SIGNALS), max_size=5),
)
def test_for_every_schedule_of_faults_streams_stay_apart_and_input_ends_once_behind_its_data(
    seed: int,
    loss: float,
    repeat: float,
    jitter: float,
    cut_every: float,
    pieces: list[tuple[bool, int]],
    up: int,
    signals: list[FlagValue],
) -> None:
    source = random.Random(seed)
    wire = opened(Faults(loss, repeat, (0.001, 0.001 + jitter), cut_every), seed)
    written = {False: b"", True: b""}
    for error, size in pieces:
        data = source.randbytes(size)
        written[error] += data
        pump(wire, wire.agent, data, PayloadType.STDERR if error else PayloadType.OUTPUT)
    typed = source.randbytes(up)
    pump(wire, wire.client, typed)
    wire.client.end_input()
    for value in signals:
        assert wire.client.flag(value)
    wire.agent.exit(143)
    wire.run(600, done=lambda: wire.ended() and wire.client.drained)
    if not wire.gaps():
        assert wire.apart() == (written[False], written[True])
    assert wire.input() == typed
    flags = [e for e in wire.events[wire.agent] if isinstance(e, ch.Flagged)]
    assert [f.value for f in flags if f.value is not FlagValue.END_OF_INPUT] == signals
    # Once, and after all data.
    marks = [
        e
        for e in wire.events[wire.agent]
        if isinstance(e, ch.Data) or e == ch.Flagged(FlagValue.END_OF_INPUT)
    ]
    assert marks.count(ch.Flagged(FlagValue.END_OF_INPUT)) == 1
    assert marks[-1] == ch.Flagged(FlagValue.END_OF_INPUT)
    assert wire.of(wire.client, ch.Exited) == [ch.Exited(143)]


def test_a_signal_overtakes_input_that_waits_and_the_end_of_input_does_not() -> None:
    wire = opened()
    wire.slow_reader = True
    for _ in range(20):
        wire.client.write(b"p" * wire.client.writable)
        wire.run(0.05)
    wire.client.end_input()
    assert wire.client.flag(FlagValue.SIGNAL_INTERRUPT)
    wire.run(1)
    assert wire.of(wire.agent, ch.Flagged) == [ch.Flagged(FlagValue.SIGNAL_INTERRUPT)]


def test_standard_error_shares_the_window_of_the_output() -> None:
    wire = opened()
    wire.slow_reader = True
    for _ in range(100):
        wire.agent.write(b"o" * (wire.agent.writable // 2))
        wire.agent.write(b"e" * wire.agent.writable, PayloadType.STDERR)
        wire.run(0.1)
    assert len(wire.output()) <= ch.OUTPUT_WINDOW


def test_an_end_of_input_before_the_beginning_is_told_at_the_beginning() -> None:
    wire = Wire()
    wire.client.write(b"early")
    wire.client.end_input()
    wire.client.end_input()
    wire.connect()
    wire.run(5)
    assert [e for e in wire.events[wire.agent] if not isinstance(e, ch.Opened)] == [
        ch.Data(b"early"),
        ch.Flagged(FlagValue.END_OF_INPUT),
    ]


def test_nothing_is_written_behind_the_end_of_input() -> None:
    wire = opened()
    wire.client.end_input()
    with pytest.raises(ValueError, match="end of input"):
        wire.client.write(b"x")


@pytest.mark.parametrize("value", [v for v in FlagValue if v.own])
def test_a_signal_to_a_peer_that_did_not_agree_is_refused_and_not_sent(value: FlagValue) -> None:
    wire = Wire()
    assert not wire.client.flag(value)  # nothing is agreed on yet
    wire = opened(agent=ORIGINAL)
    assert not wire.client.flag(value)
    wire.client.end_input()
    wire.run(5)
    assert wire.of(wire.agent, ch.Flagged) == []
    assert wire.client.drained


def test_flags_of_ours_from_a_client_that_did_not_agree_mean_nothing() -> None:
    ours = DataChannel(Side.AGENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
    bridge = Bridge(ours, original_client())
    ours.attach(1, bridge.now)
    bridge.run(2)
    bridge.theirs.send((0x1001).to_bytes(4, "big"), PayloadType.FLAG, bridge.now)
    bridge.theirs.send((2).to_bytes(4, "big"), PayloadType.FLAG, bridge.now)
    bridge.run(2)
    assert [e for e in bridge.events if isinstance(e, ch.Flagged)] == [
        ch.Flagged(FlagValue.TERMINATE_SESSION)
    ]
    assert ours.dropped["unknown payload"] == 1


def test_a_client_takes_no_signal_from_its_agent() -> None:
    wire = opened()
    wire.agent.flag(FlagValue.SIGNAL_HANGUP)
    wire.run(1)
    assert wire.of(wire.client, ch.Flagged) == []
    assert wire.client.dropped["unknown payload"] == 1


def test_the_originals_agent_gets_no_end_of_input() -> None:
    ours = DataChannel(Side.CLIENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
    bridge = Bridge(ours, original_agent())
    ours.attach(1, bridge.now)
    bridge.theirs.type(b"$ ", bridge.now)
    ours.write(b"ls\r")
    ours.end_input()
    bridge.run(5)
    assert [kind for kind, _ in bridge.theirs.received] == [PayloadType.OUTPUT]


def test_an_exit_code_reaches_an_original_client_only_where_it_is_asked_for() -> None:
    for plain in (False, True):
        ours = DataChannel(Side.AGENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
        bridge = Bridge(ours, original_client())
        ours.attach(1, bridge.now)
        bridge.run(2)
        ours.exit(7, plain=plain)
        bridge.run(2)
        assert bridge.theirs.text(PayloadType.EXIT_CODE) == (b"EXIT_CODE: 7" if plain else b"")


# --- environment --------------------------------------------------------------------------------


def test_the_agent_learns_the_clients_terminal_and_language() -> None:
    told = {"TERM": "tmux-256color", "LANG": "de_DE.UTF-8", "LC_TIME": "C"}
    wire = opened(client=ChannelSettings(epoch=1.7e9, environment=told))
    assert wire.of(wire.agent, ch.Opened) == [ch.Opened(extended=True, environment=told)]
    assert wire.of(wire.client, ch.Opened) == [ch.Opened(extended=True)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LD_PRELOAD", "x.so"),
        ("PATH", "here"),
        ("LC_", "C"),
        ("LC_lower", "C"),
        ("TERMINFO", "x"),
        ("TERM", "../../evil"),
        ("TERM", "x" * 65),
        ("TERM", ""),
        ("LANG", "C\n"),
        ("LANG", "() { :;}"),
        ("LANG", 5),
    ],
)
def test_no_other_name_and_no_other_value_crosses(name: str, value: object) -> None:
    assert allowed({name: value}) == {}


def test_entries_are_bounded() -> None:
    many = {f"LC_{chr(65 + n)}": "C" for n in range(26)}
    assert len(allowed(many)) == MAX_ENTRIES


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_what_is_allowed_stays_allowed(found: dict[str, object]) -> None:
    once = allowed(found)
    assert allowed(dict(once)) == once


def test_an_agent_tells_no_environment() -> None:
    agent = DataChannel(
        Side.AGENT,
        ChannelSettings(epoch=1.7e9, environment={"TERM": "vt100"}),
        random.Random(1).randbytes,
    )
    agent.attach(1, 0.0)
    assert b"environment" not in parse(agent.poll(0.0)[0]).payload


# --- output that must not be lost, and what a document runs ---------------------------------------


def test_a_lossless_agent_takes_no_more_while_the_client_is_away_and_loses_nothing() -> None:
    wire = opened(agent=ChannelSettings(epoch=1.7e9, lossless=True))
    wire.cut()
    written = 0
    while room := wire.agent.writable:
        wire.agent.write(b"x" * room)
        written += room
    assert written <= MAX_WAITING
    wire.run(10)
    assert (len(wire.output()), wire.gaps()) == (written, 0)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (resolve("AWS-StartNonInteractiveCommand", {"command": ["x"]}), "NonInteractiveCommands"),
        (resolve("SSM-SessionManagerRunShell", {}), "Standard_Stream"),
        ("not a document", "Standard_Stream"),
    ],
)
def test_what_a_resolved_document_runs_is_told_by_the_originals_names(
    document: str, kind: str
) -> None:
    assert session_type(document) == kind
