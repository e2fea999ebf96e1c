"""What happens to a datagram: link layer, network layer, and the devices that it is for.

The gateway is a device on its IP network and the router to the virtual network of the products behind it.
Knows no socket: datagrams come with `receive` and go out through a function. Source: ASHRAE 135, clause 6 and
annex J.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from virtual_digiware.buses.bacnet.cov import Subscriptions
from virtual_digiware.buses.bacnet.errors import Malformed
from virtual_digiware.buses.bacnet.foreign import ForeignDevices
from virtual_digiware.buses.bacnet.identity import DeviceIdentity
from virtual_digiware.buses.bacnet.peers import GLOBAL, Address, Bvll, Npdu, Peer, Station
from virtual_digiware.buses.bacnet.plain import PlainReads
from virtual_digiware.buses.bacnet.services import Services

if TYPE_CHECKING:
    from virtual_digiware.buses.bacnet.counters import BacnetCounters
    from virtual_digiware.buses.bacnet.device import Device
    from virtual_digiware.buses.bacnet.directory import BacnetSettings, DeviceDirectory
    from virtual_digiware.buses.bacnet.endpoint import ApplicationLayer
    from virtual_digiware.buses.interfaces import WriteHandler

ORIGINAL_UNICAST, ORIGINAL_BROADCAST, FORWARDED = 0x0A, 0x0B, 0x04

WHO_IS_ROUTER, I_AM_ROUTER, REJECT_MESSAGE = 0x00, 0x01, 0x03
INITIALIZE_ROUTING_TABLE, INITIALIZE_ROUTING_TABLE_ACK = 0x06, 0x07
_KNOWN_MESSAGES = range(0x00, 0x14)
_NO_ROUTE, _UNKNOWN_MESSAGE = 1, 3
_HOPS = 255

SendTo = Callable[[bytes, Address], None]


class Router:
    """The gateway's side of BACnet/IP.

    Args:
        directory: The devices.
        settings: Of the gateway.
        handler: Takes writes.
        send: Takes datagrams that go out.
        counters: Of the port.
        time_s: Seconds of a clock that runs with the network, for registrations of foreign devices.
    """

    def __init__(
        self,
        directory: DeviceDirectory,
        settings: BacnetSettings,
        handler: WriteHandler,
        send: SendTo,
        counters: BacnetCounters,
        time_s: Callable[[], float],
    ) -> None:
        self.directory = directory
        self.counters = counters
        self._handler = handler
        self._send = send
        self._foreign = ForeignDevices(time_s) if settings.foreign_devices else None
        self._layers: dict[str, tuple[Device, ApplicationLayer]] = {}
        self._subscriptions = Subscriptions(settings.cov_increment, time_s) if settings.cov else None
        self._plain = PlainReads(directory, DeviceIdentity.of(directory.gateway).max_apdu)

    def receive(self, datagram: bytes, source: Address, is_broadcast: bool = False) -> None:
        """Take one datagram; answers are sent before this returns. Never raises."""
        counters = self.counters
        counters.datagrams += 1
        counters.broadcasts += is_broadcast
        try:
            reply = None if self._is_busy else self._plain.reply(datagram)
            if reply is not None:
                counters.short += 1
                self._send(reply, source)
                return
            self.full(datagram, source, is_broadcast)
            if self._subscriptions is not None and self._subscriptions.has_new:
                self.notify()
        except Malformed:
            counters.bad_datagrams += 1
        except Exception:
            self._report_failure(datagram)

    def full(self, datagram: bytes, source: Address, is_broadcast: bool = False) -> None:
        """Take one datagram the library's way. Raises Malformed."""
        from virtual_digiware.buses.bacnet import endpoint

        bvll = endpoint.decode_bvll(datagram)
        if bvll.function == ORIGINAL_UNICAST:
            self._route(bvll.content, Peer(source), is_broadcast)
        elif bvll.function == ORIGINAL_BROADCAST:
            self._route(bvll.content, Peer(source), True)
            self._forward(bvll.content, source)
        elif bvll.function == FORWARDED and bvll.origin is not None:
            self._route(bvll.content, Peer(bvll.origin), True)
        else:
            self._manage(bvll, source)

    def notify(self) -> None:
        """Tell subscribers of what has changed since they were told last."""
        if self._subscriptions is None:
            return
        for notification in self._subscriptions.due():
            device = notification.subscription.device
            mac = None if device.is_gateway else device.unit.address
            self._layer(mac, device).notify(notification)

    def close(self) -> None:
        """End all exchanges."""
        for _, layer in self._layers.values():
            layer.close()
        self._layers.clear()

    @property
    def _is_busy(self) -> bool:
        """Whether segments are on their way: then a request may be a repetition, which the library knows."""
        return any(layer.is_busy for _, layer in self._layers.values())

    def _manage(self, bvll: Bvll, source: Address) -> None:
        """The link layer's own messages: registrations, where they are allowed."""
        from virtual_digiware.buses.bacnet import endpoint

        taken = (self._foreign or _NO_REGISTRATIONS).receive(bvll.function, bvll.content, source)
        for function, content in taken.answers:
            self._send(endpoint.encode_bvll(function, content), source)
        if taken.broadcast is not None:
            self._route(taken.broadcast, Peer(source), True)
            self._forward(taken.broadcast, source)
        if not taken.is_known:
            self.counters.bad_datagrams += 1

    def _forward(self, content: bytes, origin: Address) -> None:
        """Let registered foreign devices hear a broadcast."""
        if self._foreign is None:
            return
        from virtual_digiware.buses.bacnet import endpoint

        forwarded = self._foreign.forwarded(content, origin)
        for registered in self._foreign.others(origin):
            self._send(endpoint.encode_bvll(FORWARDED, forwarded), registered)

    def _route(self, content: bytes, peer: Peer, is_broadcast: bool) -> None:
        from virtual_digiware.buses.bacnet import endpoint

        npdu = endpoint.decode_npdu(content)
        source, destination = npdu.source, npdu.destination
        if source is not None:
            if source.network in (0, GLOBAL, self.directory.network):
                raise Malformed("a source network that cannot be there")
            peer = Peer(peer.address, source)
        if destination is not None:
            if not npdu.hops:
                return
            is_broadcast = is_broadcast or not destination.mac
        if npdu.message is not None:
            if destination is None or destination.network == GLOBAL:
                self._network_message(npdu, peer, is_broadcast)
            return
        is_found = False
        for mac, device in self._targets(destination):
            is_found = True
            layer = self._layer(mac, device)
            layer.receive(npdu.content, peer, npdu.priority, is_broadcast)
        if not is_found:
            self._refuse_route(destination, peer, is_broadcast)

    def _targets(self, destination: Station | None) -> Iterator[tuple[int | None, Device]]:
        """Devices that a message is for, each with its place on the virtual network, None for the gateway."""
        directory = self.directory
        if destination is None or destination.network == GLOBAL:
            yield None, directory.gateway
        if destination is None or destination.network not in (GLOBAL, directory.network):
            return
        if not destination.mac:
            yield from directory.products()
        elif len(destination.mac) == 1:
            device = directory.at(destination.mac[0])
            if device is not None:
                yield destination.mac[0], device

    def _refuse_route(self, destination: Station | None, peer: Peer, is_broadcast: bool) -> None:
        self.counters.unanswered += 1
        if destination is not None and destination.network != self.directory.network and not is_broadcast:
            content = bytes((_NO_ROUTE,)) + destination.network.to_bytes(2, "big")
            self._answer(peer, Npdu(content, message=REJECT_MESSAGE))

    def _network_message(self, npdu: Npdu, peer: Peer, is_broadcast: bool) -> None:
        network = self.directory.network.to_bytes(2, "big")
        if npdu.message == WHO_IS_ROUTER:
            if npdu.content in (b"", network):
                self._answer(peer, Npdu(network, message=I_AM_ROUTER))
        elif npdu.message == INITIALIZE_ROUTING_TABLE:
            # Zero entries ask for the table: one network, port 1, no port information. It cannot be changed.
            if npdu.content == b"\0":
                table = b"\1" + network + b"\1\0"
                self._answer(peer, Npdu(table, message=INITIALIZE_ROUTING_TABLE_ACK))
        elif npdu.message not in _KNOWN_MESSAGES and not is_broadcast:
            self._answer(peer, Npdu(bytes((_UNKNOWN_MESSAGE,)) + network, message=REJECT_MESSAGE))

    def _layer(self, mac: int | None, device: Device) -> ApplicationLayer:
        """The application layer of a device; made anew when the device has got another address."""
        from virtual_digiware.buses.bacnet import endpoint

        known = self._layers.get(device.unit.path)
        if known is not None and known[0] is device:
            return known[1]
        if known is not None:
            known[1].close()
        source = None if mac is None else Station(self.directory.network, bytes((mac,)))

        def send(apdu: bytes, peer: Peer, priority: int) -> None:
            # Only segments of an acknowledgement with more to come expect something back from a client.
            waits = apdu[0] & 0xFC == 0x3C
            self._answer(peer, Npdu(apdu, source=source, priority=priority, is_expecting_reply=waits))

        services = Services(device, self._handler, self._subscriptions)
        layer = endpoint.ApplicationLayer(services, DeviceIdentity.of(device), send, self.counters)
        self._layers[device.unit.path] = device, layer
        return layer

    def _answer(self, peer: Peer, npdu: Npdu) -> None:
        from virtual_digiware.buses.bacnet import endpoint

        content = endpoint.encode_npdu(npdu._replace(destination=peer.station, hops=_HOPS))
        self._send(endpoint.encode_bvll(ORIGINAL_UNICAST, content), peer.address)

    def _report_failure(self, datagram: bytes) -> None:
        """A device or the write handler raised: our mistake."""
        import structlog  # costs as much as half the package to import, and a good day never needs it

        self.counters.failures += 1
        log = structlog.get_logger("virtual_digiware.buses.bacnet")
        log.exception("a datagram could not be answered", datagram=datagram.hex(" "))


class _NoForeignDevices(ForeignDevices):
    """What a device that is no BBMD answers: every request is refused."""

    is_open = False


_NO_REGISTRATIONS = _NoForeignDevices(lambda: 0.0)
