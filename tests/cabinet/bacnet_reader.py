"""Reads all analog inputs of devices behind a router with BAC0; prints {address: {instance: present value}}.

Arguments: host and port of the router, its network, a free port of its own, addresses on that network.
"""

import asyncio
import json
import sys

import BAC0
from bacpypes3.settings import settings

AT_ONCE = 40


async def main(host: str, port: str, network: str, own_port: str, *addresses: str) -> None:
    settings.route_aware = True
    seen: dict[str, dict[int, float]] = {}
    async with BAC0.start(ip="127.0.0.98", mask=8, port=int(own_port), ping=False) as client:
        for address in addresses:
            device = f"{network}:{address}@{host}:{port}"
            instance = 100 + int(address)
            objects = await client.read(f"{device} device {instance} objectList")
            inputs = [number for kind, number in objects if str(kind) == "analog-input"]
            seen[address] = {}
            for first in range(0, len(inputs), AT_ONCE):
                wanted = {
                    f"analogInput:{number}": ["presentValue"] for number in inputs[first : first + AT_ONCE]
                }
                answer = await client.readMultiple(
                    device, request_dict={"address": device, "objects": wanted}
                )
                for name, [(_, value)] in answer.items():
                    seen[address][int(name.partition(",")[2])] = float(value)
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
