"""The Python peer for SNMP: pysnmp's own agent as documented, with 50 scalars.

Prints `listening PORT` once its socket is open, like the other peers. Nothing of pysnmp is replaced or tuned.
"""

from __future__ import annotations

import asyncio
import socket

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.api import v2c

BRANCH = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999)
SCALARS = 50
COMMUNITY, USER, PASSWORD = "public", "bench", "benchbench"
LIFE_S = 600.0


def main() -> None:
    """Serve on a free loopback port for at most LIFE_S seconds."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    agent = engine.SnmpEngine()
    transport = udp.UdpTransport(loop=loop).open_server_mode(("127.0.0.1", port))
    config.add_transport(agent, udp.SNMP_UDP_DOMAIN, transport)
    config.add_v1_system(agent, "area", COMMUNITY)
    config.add_vacm_user(agent, 2, "area", "noAuthNoPriv", BRANCH, BRANCH)
    config.add_v3_user(
        agent, USER, config.USM_AUTH_HMAC96_SHA, PASSWORD, config.USM_PRIV_CFB128_AES, PASSWORD
    )
    config.add_vacm_user(agent, 3, USER, "authPriv", BRANCH, BRANCH)
    served = context.SnmpContext(agent)
    builder = served.get_mib_instrum().get_mib_builder()
    scalar, instance = builder.import_symbols("SNMPv2-SMI", "MibScalar", "MibScalarInstance")
    objects = []
    for number in range(1, SCALARS + 1):
        name = (*BRANCH, number)
        objects.append(scalar(name, v2c.Gauge32()))
        objects.append(instance(name, (0,), v2c.Gauge32(1000 + number)))
    builder.export_symbols("BENCH-MIB", *objects)
    for responder in (cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder, cmdrsp.BulkCommandResponder):
        responder(agent, served)
    loop.call_later(LIFE_S, loop.stop)  # never outlives a bench that died
    print(f"listening {port}", flush=True)
    agent.transport_dispatcher.job_started(1)
    agent.open_dispatcher()


if __name__ == "__main__":
    main()
