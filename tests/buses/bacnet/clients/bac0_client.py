"""Reads a gateway with BAC0 and prints what it found as JSON. Arguments: host, port, a port of its own.

It registers as a foreign device: bacpypes3 takes every loopback address with its own port number for itself,
so it needs another port, on which nobody would hear its broadcasts.
"""

import asyncio
import json
import sys

import BAC0

NETWORK, I60, IO10 = 2001, 4, 7
SMALL_APDU = 206


async def main(host: str, port: str, own: str) -> None:
    register = {"bbmdAddress": f"{host}:{port}", "bbmdTTL": 60}
    async with BAC0.start(ip="127.0.0.97", mask=8, port=int(own), ping=False, **register) as client:
        seen: dict[str, object] = {}
        found = await client.who_is(timeout=1)
        seen["devices"] = sorted(one.iAmDeviceIdentifier[1] for one in found)
        module = f"{NETWORK}:{I60}"
        seen["power"] = await client.read(f"{module} analogInput 118 presentValue")
        several = await client.readMultiple(f"{module} analogInput 118 presentValue objectName units")
        seen["several"] = [str(value) for value in several]
        objects = await client.read(f"{module} device 104 objectList")
        seen["objects"] = [[int(kind), int(instance)] for kind, instance in objects]
        device = client.this_application.app.device_object
        device.maxApduLengthAccepted, device.segmentationSupported = SMALL_APDU, "segmented-both"
        again = await client.read(f"{module} device 104 objectList")
        seen["in_segments"] = len(again)
        output = f"{NETWORK}:{IO10} binaryOutput 200 presentValue"
        await client._write(f"{output} active - 8")
        seen["output"] = str(await client.read(output))
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
