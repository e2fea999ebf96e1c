"""The BACnet/IP section of a gateway in the site file."""

from pydantic import Field

from virtual_digiware.simulator.site_parts import Host, Model, Port

STANDARD_PORT = 47808


class Bacnet(Model):
    """BACnet/IP: the gateway is a device, and the router to a network on which every module is one."""

    enabled: bool = True
    host: Host | None = Field(
        None,
        description="default 127.0.0.1 (.2 for the second gateway on a port), or 0.0.0.0 with `listen: any`",
    )
    port: Port = Field(STANDARD_PORT, description="UDP")
    alternative: Port = Field(STANDARD_PORT + 1, description="where the port is not to be had")
    network: int = Field(
        2001, ge=1, le=65534, description="number of the virtual network, unique on the site"
    )
    main_instance: int = Field(
        100,
        ge=0,
        le=4194302 - 247,
        description="device instance of the gateway; a module adds its Modbus address",
    )
    cov: bool = Field(
        False, description="clients may subscribe to changes; the real gateways do not list SubscribeCOV"
    )
    cov_increment: float = Field(
        0.0, ge=0, description="change of an Analog Input, in its unit, that subscribers hear of; 0: any"
    )
    foreign_devices: bool = Field(False, description="clients beyond the reach of broadcasts may register")
