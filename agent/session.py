"""One session: the data channel between what runs on the node and the client, and its life.

It decides nothing about who may do what: it feeds its runner only while the service's ticket is
valid, and ends when the service says so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from agent import traits
from agent.activity import Activity
from agent.api import Opened, Pass
from agent.echo import EchoReports
from agent.ending import report
from agent.facilities import Facilities, Reason
from agent.network import OwnNetwork
from agent.order import order
from agent.pass_keeper import PassKeeper
from agent.ports import Client, Runner, StartFailed
from agent.redraw import Redraw
from agent.seals import Opener, Refusal, Refused
from agent.tail import Tail
from agent.uplink import Outcome, Uplink
from hatchway.core import channel
from hatchway.core.alarm import Alarm
from hatchway.core.channel import ChannelEvent, DataChannel, Side
from hatchway.core.lifecycle import Status
from hatchway.core.names import trace_root
from hatchway.core.sealing import Sealed
from hatchway.core.transcript.stated import Stated
from hatchway.core.wire import MAX_TEXT_MESSAGE, FlagValue, PayloadType

#: Sealed messages that wait for a ticket; IoT Core sends 100 a second at most.
MAX_HELD = 64
#: Seconds after the client attached in which a 410 may only mean that it is too new.
YOUNG = 10.0
#: Seconds in which messages of a client that is there must be able to arrive.
LISTEN_TIME = 60.0
#: Seconds that a shell waits for the terminal's size, or something typed, before it starts.
START_WAIT = 0.3
#: Seconds that the last output and the exit code may take to reach the client, also one that is
#: away at that moment and resumes.
DRAIN_TIME = 60.0
#: The shortest wait for the channel's next deadline.
TICK = 0.005
#: Bytes of output that make an upload worth its while, and the seconds that less may wait for more
#: while another upload is on its way. Nothing waits when none is: a key's echo leaves at once.
FULL_UPLOAD = 96 * 1024
COALESCE = 0.010
#: Seconds between renewals that messages under an unknown key may cause.
KEY_GAP = 10.0


class Session:
    """Runs one session from its `open` answer to its end. A Listener and a Screen."""

    def __init__(self, session: str, opened: Opened, facilities: Facilities) -> None:
        self._id, self._f = session, facilities
        self._opened, self._document = opened, traits.read(opened.document)
        clock, random = facilities.clock, facilities.random
        self._tail, self._redraw = Tail(), Redraw(self._resize)
        settings = traits.settings(self._document, clock.epoch, self._tail.replay)
        self._channel = DataChannel(Side.AGENT, settings, random)
        self._opener = Opener(facilities.topics.node, session, clock, facilities.cipher_of)
        self._echo = EchoReports(traits.records_input(self._document), clock, random)
        self._activity = Activity(output_counts=traits.output_counts(self._document))
        self._uplink = Uplink(facilities.api, session, random, self._uploaded, self._printed)
        self._keeper = PassKeeper(
            *(facilities.api, session, opened.first),
            clock=clock,
            random=random,
            log=facilities.log,
            activity=self._activity,
            changed=self._renewed,
            ended=lambda: self.stop(Reason.TERMINATED),
        )
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Reason] = self._loop.create_future()
        self._runner: Runner | None = None
        self._client = Client()
        self._started = self._listening = self._pumping = self._feeding = False
        self._code: int | None = None
        self._failure = ""
        self._generation = self._gone = -1
        self._network = OwnNetwork()
        self._attached_at = 0.0
        self._next_key = 0.0
        self._held_since: float | None = None
        self._held: deque[Sealed] = deque()
        self._alarm = Alarm(self._pump, self._loop.call_at)
        self._start_timer: asyncio.TimerHandle | None = None
        self._drain_timer: asyncio.TimerHandle | None = None
        self._listen_timer: asyncio.TimerHandle | None = None

    # --- life -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Returns when the session is over and the service has been told."""
        f = self._f
        reason = await self._prepare()
        client, topic = f.topics.data_client(self._id), f.topics.data(self._id)
        keeper = self._loop.create_task(self._keeper.run())
        listening = f.transport.listen(f.endpoint, client, topic, f.credentials, self)
        f.log.info("session open", session=self._id, trace=trace_root(self._id))
        try:
            reason = reason or await self._over
            if self._runner is not None:
                await self._runner.kill()  # also what was left in the background
            stated = self._stated()
            await report(f, self._id, reason + self._failure, self._code, stated)
        finally:
            self._cancel_timers()
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await self._uplink.close()
            await listening.close()
            if self._runner is not None:
                await self._runner.close()
            self._count_losses()
            f.log.info("session over", session=self._id, reason=reason, code=self._code)

    def _count_losses(self) -> None:
        """Reported with what was dropped, and not among it (`lambdas/nodes/handler.py`)."""
        gaps, repeats = self._channel.losses
        for kind, count in (("gapBytes", gaps), ("retries", repeats)):
            if count:
                self._f.drops.count(kind, count)

    def hinted(self) -> None:
        """The service has news: it is asked for them."""
        self._keeper.want()

    def stop(self, reason: Reason) -> None:
        """Ends the session; from here on nothing is fed."""
        if not self._over.done():
            self._over.set_result(reason)
            self._cancel_timers()

    async def _prepare(self) -> Reason | None:
        try:
            if isinstance(self._document, StartFailed):
                raise self._document
            self._runner = await self._f.make_runner(
                order(self._id, self._document, self._opened, self._f.topics)
            )
        except StartFailed as error:
            return self._not_started(error)
        self._renewed(self._keeper.current)
        return None

    def _not_started(self, error: StartFailed) -> Reason:
        """The person who waits for it is told why."""
        self._f.log.error("cannot start", session=self._id, code=error.code, why=error.message)
        self._failure = f": {error.message}"
        return Reason.NOT_STARTED

    def _stated(self) -> Stated | None:
        """How much there was, for the record: what is missing at its end shows by that alone."""
        if not self._opened.recorded:
            return None
        arrived, taken = self._channel.counted
        sent = max(arrived, self._uplink.passed)
        return Stated(sent=sent, taken=taken, client=self._channel.client)

    def _cancel_timers(self) -> None:
        self._redraw.close()
        self._alarm.cancel()
        timers = (self._start_timer, self._drain_timer, self._listen_timer)
        for timer in timers:
            if timer is not None:
                timer.cancel()
        self._start_timer = self._drain_timer = self._listen_timer = None

    # --- ticket ---------------------------------------------------------------------------------

    def _renewed(self, current: Pass) -> None:
        if self._over.done():
            return
        self._opener.add_key(current.key_id, current.key)
        if current.status == Status.TERMINATING:
            self.stop(Reason.TERMINATED)
            return
        self._join()
        self._release()
        self._pump()

    def _join(self) -> None:
        """Attaches the channel to the client that the ticket names, or to nobody. Not before
        messages can arrive: the answer to the first one would be lost."""
        current, now = self._keeper.current, self._f.clock.now()
        if not current.connected or current.generation == self._gone:
            self._leave()
        elif self._listening:
            if current.generation != self._generation:
                self._generation, self._attached_at = current.generation, now
            self._channel.attach(current.generation, now)
        elif self._listen_timer is None:
            self._listen_timer = self._loop.call_later(LISTEN_TIME, self._unheard)

    def _unheard(self) -> None:
        """A client waits, and nothing of it can arrive: better an end than silence."""
        self._f.log.warning("data channel never up", session=self._id)
        self.stop(Reason.CHANNEL)

    def _reached(self) -> None:
        """Messages can arrive, or there is nobody who would send any."""
        if self._listen_timer is not None:
            self._listen_timer.cancel()
            self._listen_timer = None

    def _leave(self) -> None:
        """The client is away: output is kept, as far as it can be."""
        self._generation = -1
        self._reached()
        if self._channel.attached:
            self._channel.detach(self._f.clock.now())

    # --- Listener -------------------------------------------------------------------------------

    def up(self) -> None:
        if not self._listening:
            self._listening = True
            self._reached()
            self._renewed(self._keeper.current)
            self._network.up()
        elif self._network.up():
            self._back()

    def _back(self) -> None:
        """Our network was away: the client learns of its return by hearing from us."""
        self._channel.returned(self._f.clock.now())
        self._pump()

    def down(self, code: str) -> None:
        self._network.down()
        self._f.log.info("data channel down", session=self._id, code=code)

    def overflow(self) -> None:
        self._f.drops.count(Refusal.FLOOD)

    def message(self, payload: bytes) -> None:
        """A sealed message: fed while the ticket holds, kept while it is renewed."""
        if self._over.done():
            return
        found = self._opener.open(payload, self._keeper.current.generation)
        if isinstance(found, Refused):
            self._refuse(found)
            return
        if self._activity.typed(found.mark):
            self._keeper.active()
        if self._may_feed(found):
            self._feed(found.frames)
        else:
            self._hold(found)

    def _may_feed(self, sealed: Sealed) -> bool:
        current = self._keeper.current.generation == sealed.header.generation
        return current and self._keeper.valid and self._channel.attached

    def _refuse(self, refused: Refused) -> None:
        self._f.drops.count(refused.why)
        now = self._f.clock.now()
        if refused.why is Refusal.UNKNOWN_KEY and now >= self._next_key:
            self._next_key = now + KEY_GAP
            self._keeper.want()

    def _hold(self, sealed: Sealed) -> None:
        if sealed.header.generation == self._gone:
            self._gone = -1  # the service took it for gone, but here it is
        if len(self._held) < MAX_HELD:
            self._held.append(sealed)
        else:
            self._f.drops.count(Refusal.FLOOD)
        self._keeper.want()

    def _release(self) -> None:
        """What waited for the ticket, as far as it is still good by it."""
        held, self._held = self._held, deque()
        for sealed in held:
            if self._over.done():
                return
            if sealed.header.generation < self._keeper.current.generation:
                self._f.drops.count(Refusal.OLDER)
            elif self._f.clock.unix() >= sealed.header.expires:
                self._f.drops.count(Refusal.EXPIRED)
            elif self._may_feed(sealed):
                self._feed(sealed.frames)

    def _feed(self, frames: Sequence[bytes]) -> None:
        self._feeding = True
        try:
            self._handle(self._channel.receive(frames, self._f.clock.now()))
        finally:
            self._feeding = False
        self._settle()

    # --- what the channel says ------------------------------------------------------------------

    def _handle(self, events: Sequence[ChannelEvent]) -> None:
        for event in events:
            if self._over.done():
                return
            self._act(event)

    def _act(self, event: ChannelEvent) -> None:
        match event:
            case channel.Opened(extended=extended, environment=environment):
                self._client = Client(extended, environment)
                if self._started:
                    self._redraw.expect()  # another client has taken the session over
                wait = 0.0 if traits.without_terminal(self._document) else START_WAIT
                self._start_timer = self._loop.call_later(wait, self._start)
            case channel.Resized(columns, rows):
                self._redraw.size(columns, rows)
                self._start()
            case channel.Data(data):
                self._typed(data)
            case channel.Flagged(FlagValue.TERMINATE_SESSION):
                self.stop(Reason.BY_CLIENT)
            case channel.Flagged(FlagValue.END_OF_INPUT):
                self._end_input()
            case channel.Flagged(value) if value.signal:
                self._interrupt(value.signal)
            case channel.Failed(code):
                self._f.log.warning("data channel failed", session=self._id, code=code)
                self.stop(Reason.CHANNEL)
            case channel.Silent() if not self._network.away:
                self._keeper.want(silent=self._keeper.current.generation)
            case _:
                return

    def _resize(self, columns: int, rows: int) -> None:
        if self._runner is not None and not self._over.done():
            self._runner.resize(columns, rows)

    def _start(self) -> None:
        if self._started or self._runner is None or self._over.done():
            return
        self._started = True
        try:
            self._runner.start(self, self._client)
        except StartFailed as error:
            self.stop(self._not_started(error))
            return
        self._runner.allow(self._channel.writable)

    def _typed(self, data: bytes) -> None:
        self._echo.typed(self._channel.client, len(data))
        self._start()
        if self._code is not None or self._runner is None:
            self._echo.fed(len(data), echo=False)
            self._channel.consumed(len(data))
            return
        try:
            self._runner.feed(data)
        except StartFailed:
            self.stop(Reason.CHANNEL)

    def _end_input(self) -> None:
        self._start()
        if self._code is None and self._runner is not None:
            self._runner.end_input()

    def _interrupt(self, number: int) -> None:
        self._start()
        if self._code is None and self._runner is not None:
            self._runner.interrupt(number)

    # --- Screen ---------------------------------------------------------------------------------

    def output(self, data: bytes, *, error: bool = False) -> None:
        kind = PayloadType.STDERR if error else PayloadType.OUTPUT
        data = data[: self._channel.writable]
        self._tail.write(data)
        self._channel.write(data, kind)
        if self._feeding:
            self._pump_soon()
        elif not self._pumping:  # all that was there came at once: nothing to wait for
            self._pump()

    def consumed(self, size: int, *, echo: bool = True) -> None:
        self._echo.fed(size, echo=echo)
        self._channel.consumed(size)
        if not self._feeding:
            self._settle()

    def exited(self, code: int) -> None:
        """The client gets what is left of the output, and the status, for a bounded time."""
        self._code = code
        if self._over.done():
            return
        self._channel.exit(code, plain=traits.tells_exit_code(self._document))
        self._drain_timer = self._loop.call_later(DRAIN_TIME, self.stop, Reason.EXITED)
        self._pump_soon()

    # --- up -------------------------------------------------------------------------------------

    def _printed(self, mark: str) -> None:
        if self._activity.printed(mark):
            self._keeper.active()

    def _uploaded(self, outcome: Outcome, generation: int) -> None:
        if self._over.done():
            return
        if outcome is not Outcome.SENT:
            self._echo.lost()
        if self._network.called(self._uplink.unreached, self._f.clock.now()):
            self._back()
        if outcome is Outcome.CLIENT_GONE and generation == self._keeper.current.generation:
            self._gone = generation
            self._leave()
            self._keeper.want(silent=generation)
        elif outcome is Outcome.TICKET:
            self._keeper.want()
        elif outcome is Outcome.ENDED:
            self.stop(Reason.TERMINATED)
        self._pump_soon()

    def _pump_soon(self) -> None:
        """Once, after all that is ready now: what comes together travels together."""
        if not self._pumping:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _settle(self) -> None:
        """Something arrived, or was taken. Mostly that only needs an answer later, which the
        answer to a key will take along: it is not worth a turn of its own."""
        if self._over.done():
            return
        deadline = self._channel.next_deadline()
        due = deadline is not None and deadline <= self._f.clock.now()
        if due or self._code is not None or not self._channel.extended:
            self._pump_soon()
        else:
            self._go_on()
            self._arm(deadline)

    def _go_on(self) -> None:
        """What runs may print as much as there is room for."""
        if self._started and self._runner is not None:
            self._runner.allow(self._channel.writable)

    def _pump(self) -> None:
        self._pumping = False
        if self._over.done():
            return
        self._upload()
        self._handle(self._channel.take_events())
        if self._over.done():
            return
        self._go_on()
        if self._code is not None and self._channel.drained:
            self.stop(Reason.EXITED)
            return
        self._arm(self._channel.next_deadline())

    def _upload(self) -> None:
        now = self._f.clock.now()
        current = self._keeper.current
        while self._uplink.free and self._keeper.valid:
            budget = MAX_TEXT_MESSAGE - self._echo.room
            if self._wait_for_more(now) or not (frames := self._channel.poll(now, budget)):
                return
            past = self._channel.polled
            frames += self._echo.report()
            self._held_since = None
            young = now - self._attached_at < YOUNG
            self._uplink.send(frames, current.ticket, current.generation, young, past)
            if self._keeper.aging:
                self._keeper.want()

    def _wait_for_more(self, now: float) -> bool:
        """Whether what could be sent is little, and has not waited long."""
        if not self._uplink.busy or not 0 < self._channel.sendable < FULL_UPLOAD:
            self._held_since = None
            return False
        if self._held_since is None:
            self._held_since = now
        return now < self._held_since + COALESCE

    def _arm(self, deadline: float | None) -> None:
        """The channel's next deadline; one that is due waits for a slot or a ticket instead."""
        if deadline is None:
            return
        now = self._f.clock.now()
        if self._held_since is not None and deadline < self._held_since + COALESCE:
            deadline = self._held_since + COALESCE
        if deadline <= now and not self._keeper.valid:
            self._keeper.want()
        elif deadline > now or self._uplink.free:
            self._alarm.set(max(deadline, now + TICK))
