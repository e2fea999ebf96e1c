"""The one door of aiomqtt, and of paho, on which it stands: connections to a broker, sending over them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt

from virtual_digiware.buses.mqtt.outbox import Message
from virtual_digiware.buses.mqtt.publisher import BrokerUnavailable, Session
from virtual_digiware.buses.mqtt.settings import MqttSettings, Tls

_PROTOCOLS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}
_FAILURE = 0x80
"""Reason codes from here on say that the broker did not take a message. Source: MQTT 5.0, section 2.4."""


@asynccontextmanager
async def connected(settings: MqttSettings, will: Message) -> AsyncIterator[Session]:
    """A connection to the broker; leaving it says good-bye, so that the will is not spoken.

    Raises:
        BrokerUnavailable: no connection, or it was lost meanwhile.
    """
    try:
        context = None if settings.tls is None else _context(settings.tls)
        client = aiomqtt.Client(
            settings.host,
            settings.port,
            identifier=settings.client_id,
            protocol=_PROTOCOLS[settings.version],
            username=settings.username,
            password=settings.password,
            tls_context=context,
            tls_insecure=None if settings.tls is None else not settings.tls.checks_host,
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
            keepalive=settings.keepalive_s,
            timeout=settings.answer_s,
            clean_session=None if settings.version == "5" else True,
        )
    except (OSError, ssl.SSLError) as error:
        raise BrokerUnavailable(f"the certificates cannot be used: {error}") from error
    client.pending_calls_threshold = 1000
    session = _AiomqttSession(client)
    try:
        await client.__aenter__()
    except (aiomqtt.MqttError, OSError, ValueError) as error:
        _hang_up(client, context)
        raise BrokerUnavailable(str(error)) from error
    except asyncio.CancelledError:
        _hang_up(client, context)
        raise
    try:
        yield session
    except aiomqtt.MqttError as error:
        raise BrokerUnavailable(str(error)) from error
    finally:
        with suppress(aiomqtt.MqttError, OSError):
            await client.__aexit__(None, None, None)
        _hang_up(client, context)


class _AiomqttSession:
    """Sending over one connection."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._refusals = 0
        # aiomqtt takes every PUBACK for success; under MQTT 5 it may carry the broker's refusal.
        paho = client._client
        acknowledged: Any = paho.on_publish

        def on_publish(paho_client: Any, userdata: Any, mid: int, code: Any, properties: Any = None) -> None:
            if getattr(code, "value", 0) >= _FAILURE:
                self._refusals += 1
            if acknowledged is not None:
                acknowledged(paho_client, userdata, mid, code, properties)

        paho.on_publish = on_publish

    async def send(self, messages: Sequence[Message]) -> int:
        """Send messages in their order and wait until the broker has all of them.

        Returns:
            How many it refused.

        Raises:
            BrokerUnavailable: the connection is gone, or no answer came in time.
        """
        before = self._refusals
        lost = asyncio.ensure_future(self.lost())
        sending = [asyncio.ensure_future(self._publish(message)) for message in messages]
        try:
            for task in sending:  # in their order, which is also that of the broker's answers
                await asyncio.wait((task, lost), return_when="FIRST_COMPLETED")
                (task if task.done() else lost).result()
        except aiomqtt.MqttError as error:
            raise BrokerUnavailable(str(error)) from error
        finally:
            for task in (*sending, lost):
                task.cancel()
            await asyncio.gather(*sending, lost, return_exceptions=True)
        return self._refusals - before

    async def _publish(self, message: Message) -> None:
        await self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    async def lost(self) -> None:
        """Ends, with BrokerUnavailable, when the connection is gone."""
        gone = self._client._disconnected
        await asyncio.wait({gone})
        reason = gone.exception()
        raise BrokerUnavailable("the broker closed the connection" if reason is None else str(reason))


class _Context(ssl.SSLContext):
    """Remembers the socket that it wrapped: paho forgets to close it when the handshake fails."""

    wrapped: ssl.SSLSocket | None = None

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        self.wrapped = super().wrap_socket(*args, **options)
        return self.wrapped


def _context(tls: Tls) -> _Context:
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(tls.ca)
    context.check_hostname = tls.checks_host
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


def _hang_up(client: aiomqtt.Client, context: _Context | None) -> None:
    """aiomqtt leaves the socket of a failed attempt open, with its reader in the loop."""
    paho = client._client
    if paho.socket() is not None:
        paho._sock_close()
    if context is not None and context.wrapped is not None:
        context.wrapped.close()
    task = client._misc_task
    if task is not None and not task.done():
        task.cancel()
