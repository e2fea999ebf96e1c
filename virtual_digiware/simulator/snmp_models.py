"""The SNMP section of a gateway in the site file, and the settings of the agent that it stands for."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from virtual_digiware.buses.snmp.settings import (
    MAX_COMMUNITY_BYTES,
    MAX_DESTINATIONS,
    Access,
    Auth,
    Community,
    Destination,
    Priv,
    SnmpSettings,
    User,
    Version,
)
from virtual_digiware.simulator.site_parts import Host, Model, Port

STANDARD_PORT = 161
TRAP_PORT = 162


def _remote(text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError("the IP address of a manager, such as 127.0.0.1") from error


Remote = Annotated[str, AfterValidator(_remote)]


class SnmpCommunity(Model):
    """A community of v1 or v2c."""

    name: str = Field(min_length=1, max_length=MAX_COMMUNITY_BYTES)
    version: Version
    access: Access = Field("read", description="write includes read")

    def setting(self) -> Community:
        return Community(self.name, self.version, self.access)


class SnmpUser(Model):
    """A user of v3: noAuthNoPriv without `auth`, authNoPriv without `priv`, else authPriv."""

    name: str = Field(min_length=1, max_length=32)
    access: Access = Field("read", description="write includes read")
    auth: Auth | None = None
    auth_password: str = Field("", description="at least 8 characters")
    priv: Priv | None = None
    priv_password: str = Field("", description="at least 8 characters")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        self.setting()
        return self

    def setting(self) -> User:
        return User(self.name, self.access, self.auth, self.auth_password, self.priv, self.priv_password)


class SnmpTraps(Model):
    """One receiver of traps."""

    host: Remote
    port: Port = TRAP_PORT
    version: Literal["v1", "v2c", "v3"] = "v2c"
    community: str = Field(
        "public", min_length=1, max_length=MAX_COMMUNITY_BYTES, description="of v1 and v2c"
    )
    user: str | None = Field(None, description="of v3, one of `users`")
    inform: bool = Field(False, description="ask for a confirmation, and send again without one")

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if (self.version == "v3") != (self.user is not None):
            raise ValueError("`user` with v3, and only there")
        self.setting()
        return self

    def setting(self) -> Destination:
        return Destination(self.host, self.port, self.version, self.user or self.community, self.inform)


class Snmp(Model):
    """SNMP: an agent that shows the gateway and its modules, and tells of alarms."""

    enabled: bool = True
    host: Host | None = Field(
        None,
        description="default 127.0.0.1 (.2 for the second gateway on a port), or 0.0.0.0 with `listen: any`",
    )
    port: Port = Field(STANDARD_PORT, description="UDP")
    alternative: Port = Field(1000 + STANDARD_PORT, description="where the port is not to be had")
    communities: list[SnmpCommunity] | None = Field(
        None, description="default: those of the delivered device, which only work on loopback"
    )
    users: list[SnmpUser] = Field([], description="of v3")
    contact: str = ""
    location: str = ""
    traps: list[SnmpTraps] = Field([], max_length=MAX_DESTINATIONS)
    trap_period_s: float = Field(
        0.0, ge=0, description="traps of active alarms are sent again after so long; 0: never"
    )

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        self.settings()
        return self

    def settings(self) -> SnmpSettings:
        """What the agent is told. Raises ValueError for what contradicts itself."""
        communities = self.communities
        return SnmpSettings(
            communities=None if communities is None else tuple(one.setting() for one in communities),
            users=tuple(one.setting() for one in self.users),
            contact=self.contact,
            location=self.location,
            destinations=tuple(one.setting() for one in self.traps),
            repeat_s=self.trap_period_s,
        )
