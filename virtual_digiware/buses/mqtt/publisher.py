"""Publishing what one gateway collects: at its own pace, through outages, never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from importlib import import_module
from typing import Protocol

from virtual_digiware.buses.mqtt.outbox import Message, MqttCounters, Outbox
from virtual_digiware.buses.mqtt.settings import MqttSettings
from virtual_digiware.buses.mqtt.telemetry import OFFLINE, Collection, Telemetry
from virtual_digiware.devices.alarms.events import AlarmChange, AlarmEvent

DOOR = "virtual_digiware.buses.mqtt.endpoint"
AT_ONCE = 20
"""Messages on their way at the same time, the receive maximum that small brokers grant."""
GOODBYE_S = 2.0
"""How long a stopping site waits for the broker to take its last word."""


class BrokerUnavailable(Exception):
    """There is no connection to the broker, or no longer."""


class Session(Protocol):
    """A connection to the broker."""

    async def send(self, messages: Sequence[Message]) -> int: ...

    async def lost(self) -> None: ...


Connect = Callable[[MqttSettings, Message], AbstractAsyncContextManager[Session]]
Tell = Callable[[str, dict[str, object]], None]


class MqttPublisher:
    """One gateway's messages to one broker.

    `collect` is called after every refresh, in the loop; it only makes messages. A task of its own sends
    them, connects again with growing pauses, and keeps everything until the broker has acknowledged it.

    Args:
        tell: hears of connections that come and go, and of refusals.
        connect: makes connections; None: over aiomqtt.
    """

    def __init__(
        self,
        collection: Collection,
        settings: MqttSettings,
        tell: Tell = lambda event, facts: None,
        connect: Connect | None = None,
    ) -> None:
        self.settings = settings
        self.counters = MqttCounters()
        self.outbox = Outbox(settings.messages, settings.octets, self.counters)
        self.is_connected = False
        self.telemetry = Telemetry(collection, settings)
        self._collection = collection
        self._tell, self._connect = tell, connect
        self._period: int | None = None
        self._lost: tuple[str, ...] = ()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Publish from now on; the broker need not be there."""
        self.collect()
        self._task = asyncio.create_task(self._run(), name=f"mqtt {self.settings.base_topic}")

    async def close(self) -> None:
        """Say good-bye if there is a connection, and stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def collect(self) -> None:
        """Make the messages of a period that has begun, and tell at once of units lost or found again."""
        t_ms = self._collection.time_ms
        period = t_ms // self.settings.period_ms
        is_due = self._period is None or period > self._period
        lost = tuple(unit.path for unit in self._collection.units if self._collection.is_lost(unit))
        if is_due or lost != self._lost:
            self._put(self.telemetry.status())
        if is_due:
            for message in self.telemetry.messages():
                self._put(message)
        self._period, self._lost = period, lost

    def alarms(self, changes: Sequence[AlarmChange], active: Sequence[AlarmEvent]) -> None:
        """Publish changes of alarms, and what is active after them."""
        for change in changes:
            self._put(self.telemetry.alarm(change))
        self._put(self.telemetry.active_alarms(active, self._collection.time_ms))

    def _put(self, message: Message) -> None:
        before = self.counters.dropped
        self.outbox.put(message)
        if before == 0 and self.counters.dropped:
            self._tell("mqtt buffer is full, the oldest telemetry is dropped", self._facts())

    def _facts(self) -> dict[str, object]:
        return {"broker": f"{self.settings.host}:{self.settings.port}", "topic": self.settings.base_topic}

    async def _run(self) -> None:
        connect = self._connect
        if connect is None:
            # Loading the library takes a tenth of a second, which clients of this site must not wait for.
            door = await asyncio.to_thread(import_module, DOOR)
            connect = door.connected
        pause_s = self.settings.first_pause_s
        told = ""
        while True:
            sent = self.counters.published
            try:
                await self._serve(connect)
            except BrokerUnavailable as error:
                self.counters.failures += 1
                if str(error) != told:
                    told = str(error)
                    self._tell(f"mqtt broker is not available: {error}", self._facts())
            finally:
                self.is_connected = False
            if self.counters.published > sent:
                pause_s, told = self.settings.first_pause_s, ""
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self.settings.longest_pause_s)

    async def _serve(self, connect: Connect) -> None:
        """Send until the connection is lost."""
        async with connect(self.settings, self.telemetry.will()) as session:
            self.is_connected = True
            self.counters.connections += 1
            try:
                await self._send(session, (self.telemetry.status(),))
                self._tell("mqtt broker is connected", self._facts())
                async for messages in self._batches(session):
                    await self._send(session, messages)
                    self.outbox.taken(messages)
            except asyncio.CancelledError:
                await self._say_goodbye(session)
                raise

    async def _batches(self, session: Session) -> AsyncIterator[tuple[Message, ...]]:
        """The oldest messages, whenever there are any. Raises BrokerUnavailable."""
        while True:
            if not len(self.outbox):
                filled = asyncio.ensure_future(self.outbox.filled.wait())
                lost = asyncio.ensure_future(session.lost())
                try:
                    done, _ = await asyncio.wait({filled, lost}, return_when="FIRST_COMPLETED")
                    if lost in done:
                        lost.result()
                finally:
                    filled.cancel()
                    lost.cancel()
                    await asyncio.gather(filled, lost, return_exceptions=True)
            yield self.outbox.first(AT_ONCE)

    async def _send(self, session: Session, messages: Sequence[Message]) -> None:
        refused = await session.send(messages)
        self.counters.published += len(messages) - refused
        if refused and not self.counters.refused:
            self._tell("mqtt broker refuses messages; may this user publish here?", self._facts())
        self.counters.refused += refused

    async def _say_goodbye(self, session: Session) -> None:
        with suppress(BrokerUnavailable, TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await session.send((self.telemetry.status(OFFLINE),))
