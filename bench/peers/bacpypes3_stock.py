"""The BACnet peer: a device of bacpypes3 as its documentation has it, 50 analog inputs that move.

Prints `listening PORT` once requests are answered. Nothing of bacpypes3 is replaced or tuned.
"""

from __future__ import annotations

import argparse
import asyncio
import socket

from bacpypes3.app import Application
from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject

OBJECTS = 50
LIFE_S = 600.0


def free_port() -> int:
    """A UDP port that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


async def serve(refresh_s: float) -> None:
    """Serve on a free loopback port for at most LIFE_S seconds."""
    port = free_port()
    inputs = [
        AnalogInputObject(
            objectIdentifier=("analogInput", number),
            objectName=f"input {number}",
            presentValue=float(number),
            statusFlags=[0, 0, 0, 0],
            eventState="normal",
            outOfService=False,
            units="volts",
        )
        for number in range(1, OBJECTS + 1)
    ]
    device = DeviceObject(objectIdentifier=("device", 1), objectName="peer", vendorIdentifier=999)
    network = NetworkPortObject(
        f"127.0.0.1/8:{port}", objectIdentifier=("network-port", 1), objectName="NetworkPort-1"
    )
    application = Application.from_object_list([device, network, *inputs])
    await asyncio.sleep(0.2)  # the library binds its sockets in tasks of its own
    print(f"listening {port}", flush=True)
    tick = 0
    while tick * refresh_s < LIFE_S:  # never outlives a bench that died
        await asyncio.sleep(refresh_s)
        tick += 1
        for number, one in enumerate(inputs, 1):
            one.presentValue = float(number + tick % 100)
    application.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refresh-ms", type=int, default=200)
    asyncio.run(serve(parser.parse_args().refresh_ms / 1000))


if __name__ == "__main__":
    main()
