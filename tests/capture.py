"""What programs say to each other: recorded by relays between them, judged by tshark's dissectors."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import struct
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

Address = tuple[str, int]
TCP, UDP = 6, 17
PATIENCE_S = 30
_SEVERITY = re.compile(r'"_ws.expert.severity": "(\d+)"')
_WARNING = 0x600000
"""Of tshark's own scale; below it are notes, such as that an error code was answered."""


class Capture:
    """Datagrams and pieces of streams in the order in which they came by."""

    def __init__(self) -> None:
        self._packets: list[bytes] = []
        self._sent: dict[tuple[Address, Address], int] = defaultdict(lambda: 1)

    def __len__(self) -> int:
        return len(self._packets)

    def datagram(self, data: bytes, source: Address, destination: Address) -> None:
        header = struct.pack(">HHHH", source[1], destination[1], 8 + len(data), 0)
        self._add(UDP, header + data, source, destination)

    def piece(self, data: bytes, source: Address, destination: Address) -> None:
        """A piece of a TCP stream, numbered as if its connection had begun here."""
        sequence = self._sent[source, destination]
        answered = self._sent[destination, source]
        self._sent[source, destination] += len(data)
        ports = struct.pack(">HH", source[1], destination[1])
        header = ports + struct.pack(">IIBBHHH", sequence, answered, 5 << 4, 0x18, 0xFFFF, 0, 0)
        self._add(TCP, header + data, source, destination)

    def _add(self, protocol: int, content: bytes, source: Address, destination: Address) -> None:
        number = len(self._packets) & 0xFFFF
        addresses = IPv4Address(source[0]).packed + IPv4Address(destination[0]).packed
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(content), number, 0, 64, protocol, 0)
        self._packets.append(header + addresses + content)

    def write(self, path: Path) -> None:
        """As a capture file. Source: libpcap file format, link type 101 (raw IP)."""
        parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
        for number, packet in enumerate(self._packets):
            parts += (struct.pack("<IIII", number, 0, len(packet), len(packet)), packet)
        path.write_bytes(b"".join(parts))

    def understood(self, folder: Path, dissector: str, decode_as: str, *options: str) -> int:
        """How many packets tshark takes for a protocol; none may be malformed or worth a warning to it.

        Without tshark all of them count. `decode_as`: which port speaks the protocol, as its option -d.
        """
        tshark = shutil.which("tshark")
        if tshark is None:
            return len(self)
        path = folder / "exchanged.pcap"
        self.write(path)
        command = [tshark, "-r", str(path), "-T", "json", "-d", decode_as, *options]
        printed = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE_S)
        packets = [packet["_source"]["layers"] for packet in json.loads(printed.stdout)]
        flat = [json.dumps(layers) for layers in packets]
        assert not [one for one in flat if "_ws.malformed" in one]
        assert not [one for one in flat if max(map(int, _SEVERITY.findall(one)), default=0) >= _WARNING]
        return sum(dissector in layers for layers in packets)


@asynccontextmanager
async def tcp_relay(capture: Capture, server: Address, port: int = 0) -> AsyncIterator[Address]:
    """Connections to this address are connections to the server; all that they carry is kept."""

    async def carry(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        peer = to_client.get_extra_info("peername")
        from_server, to_server = await asyncio.open_connection(*server)

        async def one_way(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: tuple[Address, Address]
        ) -> None:
            try:
                while data := await reader.read(16_384):
                    capture.piece(data, *ends)
                    writer.write(data)
                    await writer.drain()
            except ConnectionError:
                pass
            finally:
                writer.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(one_way(client, to_server, (peer, server)))
            group.create_task(one_way(from_server, to_client, (server, peer)))

    listening = await asyncio.start_server(carry, "127.0.0.1", port)
    async with listening:
        yield listening.sockets[0].getsockname()


class _Sideways(asyncio.DatagramProtocol):
    """One end of a relay of datagrams: what arrives here is sent by another end."""

    def __init__(self, relay: _Datagrams, client: Address | None = None) -> None:
        self._relay, self._client = relay, client

    def datagram_received(self, data: bytes, address: Address) -> None:
        self._relay.carry(data, self._client, address)


class _Datagrams:
    def __init__(self, capture: Capture, server: Address) -> None:
        self.capture, self.server = capture, server
        self.front: asyncio.DatagramTransport | None = None
        self.ends: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}

    def carry(self, data: bytes, client: Address | None, source: Address) -> None:
        assert self.front is not None
        if client is None:
            self.capture.datagram(data, source, self.server)
            if source not in self.ends:
                self.ends[source] = asyncio.ensure_future(self._end_of(source))
            self.ends[source].add_done_callback(lambda made: made.result().sendto(data))
        else:
            self.capture.datagram(data, self.server, client)
            self.front.sendto(data, client)

    async def _end_of(self, client: Address) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        end, _ = await loop.create_datagram_endpoint(lambda: _Sideways(self, client), remote_addr=self.server)
        return end


@asynccontextmanager
async def udp_relay(capture: Capture, server: Address) -> AsyncIterator[Address]:
    """Datagrams to this address go to the server, and its answers back; all of them are kept."""
    relay = _Datagrams(capture, server)
    loop = asyncio.get_running_loop()
    relay.front, _ = await loop.create_datagram_endpoint(
        lambda: _Sideways(relay), local_addr=("127.0.0.1", 0)
    )
    try:
        yield relay.front.get_extra_info("sockname")
    finally:
        relay.front.close()
        for end in relay.ends.values():
            (await end).close()
