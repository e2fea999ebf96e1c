"""The sockets of a gateway: addresses, broadcasts, ports that are taken, an orderly end."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from tests.buses.bacnet.cabinet import DEVICE, I60, Cabinet, apdu_of, broadcast, read_property, to_module
from tests.ports import free_ports
from virtual_digiware.buses.bacnet.broadcasts import broadcast_address
from virtual_digiware.buses.bacnet.directory import BacnetSettings
from virtual_digiware.buses.bacnet.gateway import BacnetGateway

WHO_IS = broadcast(bytes.fromhex("01 20 ff ff 00 ff 10 08"))
LOOPBACK_BROADCAST = "127.255.255.255"


class Client(asyncio.DatagramProtocol):
    """Keeps what arrives, and from whom."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.arrived.put_nowait((data, addr))

    async def next(self) -> tuple[bytes, tuple[str, int]]:
        return await asyncio.wait_for(self.arrived.get(), 10)


def gateway(cabinet: Cabinet, main_instance: int = 100) -> BacnetGateway:
    settings = BacnetSettings(main_instance=main_instance)
    return BacnetGateway(cabinet.collection, settings, cabinet.writes)


async def client() -> tuple[asyncio.DatagramTransport, Client]:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(Client, ("127.0.0.1", 0), allow_broadcast=True)


async def test_gateways_on_addresses_of_their_own_hear_the_same_broadcast(standing):
    first, second = gateway(standing), gateway(standing, 1100)
    _, port = await first.start("127.0.0.11", 0)
    assert await second.start("127.0.0.12", port) == ("127.0.0.12", port)
    transport, talking = await client()
    try:
        transport.sendto(WHO_IS, (LOOPBACK_BROADCAST, port))
        heard = [await talking.next() for _ in range(16)]
        instances = {
            (address[0], int.from_bytes(apdu_of(datagram)[3:7], "big") & 0x3FFFFF)
            for datagram, address in heard
        }
        assert ("127.0.0.11", 100) in instances
        assert ("127.0.0.12", 1108) in instances
        assert len(instances) == 16
    finally:
        transport.close()
        await first.close()
        await second.close()
    assert first.counters.broadcasts == 1


async def test_many_requests_at_once_are_all_answered(standing):
    one = gateway(standing)
    where = await one.start("127.0.0.1", 0)
    transport, talking = await client()
    try:
        for invoke in range(200):
            transport.sendto(to_module(I60, read_property(DEVICE, 104, 77, invoke=invoke)), where)
        answers = [await talking.next() for _ in range(200)]
        assert sorted(apdu_of(datagram)[1] for datagram, _ in answers) == list(range(200))
        assert one.counters.short == 200
    finally:
        transport.close()
        await one.close()


async def test_a_port_that_is_taken_is_refused_and_nothing_stays_open(standing):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        port = free_ports()
        holder.bind(("127.0.0.1", port))
        one = gateway(standing)
        with pytest.raises(OSError, match=r"in use") as refused:
            await one.start("127.0.0.1", port)
        assert refused.value.errno == errno.EADDRINUSE
    assert await one.start("127.0.0.1", port) == ("127.0.0.1", port)
    await one.close()
    await one.close()


async def test_an_answer_to_a_client_that_is_gone_disturbs_nobody(standing):
    one = gateway(standing)
    where = await one.start("127.0.0.1", 0)
    gone, _ = await client()
    gone.sendto(to_module(I60, read_property(DEVICE, 104, 77)), where)
    gone.close()
    transport, talking = await client()
    try:
        transport.sendto(to_module(I60, read_property(DEVICE, 104, 77)), where)
        assert (await talking.next())[1] == where
    finally:
        transport.close()
        await one.close()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.7", LOOPBACK_BROADCAST), ("0.0.0.0", None), ("::1", None), ("192.0.2.1", None)],
)
def test_broadcasts_arrive_where_the_network_has_them(host, expected):
    assert broadcast_address(host) == expected
