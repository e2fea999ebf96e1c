"""The Python peer: pymodbus's own TCP server as documented, 1,000 holding registers that move.

Prints `listening PORT` once connections are accepted, like the C peers. Nothing of pymodbus is replaced
or tuned; the registers are rewritten every 200 ms through the server's own `async_setValues`.
"""

from __future__ import annotations

import argparse
import asyncio

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

REGISTERS = 1000
UNIT_ID = 1
LIFE_S = 600.0


async def refresh_registers(server: ModbusTcpServer, refresh_s: float) -> None:
    """Rewrite all registers at every refresh, until cancelled."""
    tick = 0
    while True:
        await asyncio.sleep(refresh_s)
        tick += 1
        values = [(7 * index + tick) & 0xFFFF for index in range(REGISTERS)]
        await server.async_setValues(UNIT_ID, 16, 0, values)


async def serve(refresh_s: float) -> None:
    """Serve on a free loopback port for at most LIFE_S seconds."""
    registers = SimData(0, values=[0] * REGISTERS, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(UNIT_ID, simdata=[registers]), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    print(f"listening {port}", flush=True)
    refreshing = asyncio.create_task(refresh_registers(server, refresh_s), name="refresh")
    await asyncio.wait([refreshing], timeout=LIFE_S)  # never outlives a bench that died
    refreshing.cancel()
    await server.shutdown()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refresh-ms", type=int, default=200)
    asyncio.run(serve(parser.parse_args().refresh_ms / 1000))


if __name__ == "__main__":
    main()
