"""Reads all objects of a kind of devices behind a router with BAC0; prints {address: {instance: value}}.

Arguments: the kind, say analogInput, host and port of the router, its network, a free port of its own,
addresses on that network. Binary values are 0 and 1.
"""

import asyncio
import json
import sys

import BAC0
from bacpypes3.settings import settings

AT_ONCE = 40
BINARY = {"inactive": 0.0, "active": 1.0}


async def main(kind: str, host: str, port: str, network: str, own_port: str, *addresses: str) -> None:
    settings.route_aware = True
    seen: dict[str, dict[int, float]] = {}
    async with BAC0.start(ip="127.0.0.98", mask=8, port=int(own_port), ping=False) as client:
        for address in addresses:
            device = f"{network}:{address}@{host}:{port}"
            instance = 100 + int(address)
            objects = await client.read(f"{device} device {instance} objectList")
            inputs = [number for one, number in objects if one.attr == kind]
            seen[address] = {}
            for first in range(0, len(inputs), AT_ONCE):
                wanted = {f"{kind}:{number}": ["presentValue"] for number in inputs[first : first + AT_ONCE]}
                answer = await client.readMultiple(
                    device, request_dict={"address": device, "objects": wanted}
                )
                for name, [(_, value)] in answer.items():
                    seen[address][int(name.partition(",")[2])] = (
                        BINARY[str(value)] if kind.startswith("binary") else float(value)
                    )
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
