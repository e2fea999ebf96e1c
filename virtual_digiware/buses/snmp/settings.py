"""Who may do what with an agent, how it describes itself, and where its traps go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Version = Literal["v1", "v2c"]
Access = Literal["read", "write"]
Auth = Literal["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
Priv = Literal["DES", "AES128", "AES256"]

MAX_MESSAGE_BYTES = 1472
"""Longest message that the agent takes or sends: one Ethernet frame without fragments. A choice; the limit of
the real gateways is not published."""
MAX_VARBIND_BYTES = 1200
"""Variable bindings in one response; leaves room for the longest headers of v3."""
MAX_COMMUNITY_BYTES = 64
MAX_DESTINATIONS = 2
"""Source: DIRIS Digiware D-50/D-70 manual 548088C p. 56 (up to 2 servers)."""


@dataclass(frozen=True, slots=True)
class Community:
    """A community of v1 or v2c; `write` includes reading."""

    name: str
    version: Version
    access: Access = "read"

    def __post_init__(self) -> None:
        if not 0 < len(self.name.encode()) <= MAX_COMMUNITY_BYTES:
            raise ValueError(f"a community has 1 to {MAX_COMMUNITY_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class User:
    """A user of v3. Without `auth` everybody who knows the name is this user; `priv` needs `auth`.

    Passwords have at least 8 characters. Source: RFC 3414, section 11.2.
    """

    name: str
    access: Access = "read"
    auth: Auth | None = None
    auth_password: str = ""
    priv: Priv | None = None
    priv_password: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.name.encode()) <= 32:
            raise ValueError("a user name has 1 to 32 bytes")
        if self.priv is not None and self.auth is None:
            raise ValueError("privacy needs authentication")
        for algorithm, password in ((self.auth, self.auth_password), (self.priv, self.priv_password)):
            if algorithm is not None and len(password) < 8:
                raise ValueError("a password has at least 8 characters")

    @property
    def level(self) -> int:
        """Security level as SNMP counts it: 1 noAuthNoPriv, 2 authNoPriv, 3 authPriv."""
        return 1 + (self.auth is not None) + (self.priv is not None)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where traps go. `name` is the community of v1 and v2c, the user (one of the agent's) of v3."""

    host: str
    port: int = 162
    version: Literal["v1", "v2c", "v3"] = "v2c"
    name: str = "public"
    is_inform: bool = False

    def __post_init__(self) -> None:
        if self.is_inform and self.version == "v1":
            raise ValueError("v1 has no informs")


@dataclass(frozen=True, slots=True)
class SnmpSettings:
    """Settings of one agent.

    `communities` None: those of the delivered device, and only on a loopback address; elsewhere nobody is
    let in until the site names its own.
    """

    communities: tuple[Community, ...] | None = None
    users: tuple[User, ...] = ()
    contact: str = ""
    location: str = ""
    destinations: tuple[Destination, ...] = ()
    repeat_s: float = 0.0
    """Period in which traps of active alarms are sent again; 0: never."""

    def __post_init__(self) -> None:
        if len(self.destinations) > MAX_DESTINATIONS:
            raise ValueError(f"traps go to at most {MAX_DESTINATIONS} destinations")
        names = {user.name for user in self.users}
        if len(names) != len(self.users):
            raise ValueError("every user has a name of its own")
        for destination in self.destinations:
            if destination.version == "v3" and destination.name not in names:
                raise ValueError(f"traps in the name of {destination.name}, who is no user of the agent")


DELIVERED: tuple[Community, ...] = (
    Community("public", "v1", "read"),
    Community("Private", "v1", "write"),
    Community("publicv2", "v2c", "read"),
    Community("privatev2", "v2c", "write"),
)
"""Communities of the delivered device. Source: DIRIS Digiware D-50/D-70 manual 548088C p. 56."""
