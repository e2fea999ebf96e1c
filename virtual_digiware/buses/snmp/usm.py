"""Keys, digests and ciphers of a v3 user on this engine, for the short path.

DES, and AES-256 with a digest too short for its key, are left to pysnmp. Source: RFC 3414 (keys, MD5 and
SHA-1 digests), RFC 7860 (SHA-2 digests), RFC 3826 (AES in CFB mode; AES-256 is the same with a longer
key).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from virtual_digiware.buses.snmp.settings import Auth, Priv, User

_PASSWORD_BYTES = 1 << 20
"""Length to which a password is repeated before it is hashed. Source: RFC 3414, appendix A.2."""
_BLOCK = 16

_HASHES: dict[Auth, tuple[str, int]] = {
    "MD5": ("md5", 12),
    "SHA1": ("sha1", 12),
    "SHA224": ("sha224", 16),
    "SHA256": ("sha256", 24),
    "SHA384": ("sha384", 32),
    "SHA512": ("sha512", 48),
}
"""Hash function and octets of its digest that are sent. Source: RFC 3414, sections 6 and 7; RFC 7860,
section 4."""
_KEY_BYTES: dict[Priv, int] = {"AES128": 16, "AES256": 32}


def localized_key(auth: Auth, password: str, engine_id: bytes) -> bytes:
    """The key of a password on one engine. Source: RFC 3414, appendix A.2; RFC 7860, section 9.3."""
    name = _HASHES[auth][0]
    text = password.encode()
    repeated = text * (_PASSWORD_BYTES // len(text) + 1)
    key = hashlib.new(name, repeated[:_PASSWORD_BYTES]).digest()
    return hashlib.new(name, key + engine_id + key).digest()


class Digest:
    """HMAC of one key, cut to what is sent."""

    def __init__(self, auth: Auth, key: bytes) -> None:
        name, self.size = _HASHES[auth]
        block = hashlib.new(name).block_size
        padded = key.ljust(block, b"\0")
        # The keyed beginnings are hashed once and copied for every message.
        self._inner = hashlib.new(name, bytes(octet ^ 0x36 for octet in padded))
        self._outer = hashlib.new(name, bytes(octet ^ 0x5C for octet in padded))

    def of(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[: self.size]


class AesCfb:
    """AES in CFB mode with one key: block by block over a kept context, which is cheaper than a new one."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import ECB

        self._encrypt: Callable[[bytes], bytes] = Cipher(AES(key), ECB()).encryptor().update

    def decrypt(self, iv: bytes, data: bytes) -> bytes:
        """All blocks at once: what they are combined with is known beforehand."""
        blocks = (len(data) + _BLOCK - 1) // _BLOCK
        return _xor(data, self._encrypt(iv + data[: _BLOCK * (blocks - 1)]))

    def encrypt(self, iv: bytes, data: bytes) -> bytes:
        parts = []
        previous = iv
        encrypt = self._encrypt
        for at in range(0, len(data), _BLOCK):
            previous = _xor(data[at : at + _BLOCK], encrypt(previous))
            parts.append(previous)
        return b"".join(parts)


def _xor(data: bytes, stream: bytes) -> bytes:
    size = len(data)
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[:size], "big")).to_bytes(size, "big")


@dataclass(frozen=True)
class LocalUser:
    """A user on one engine; keys are derived when first needed, which takes milliseconds."""

    user: User
    engine_id: bytes

    @property
    def is_plain(self) -> bool:
        """Whether the short path has the user's algorithms."""
        user = self.user
        if user.priv is None or user.auth is None:
            return True
        key_bytes = _KEY_BYTES.get(user.priv)
        return key_bytes is not None and hashlib.new(_HASHES[user.auth][0]).digest_size >= key_bytes

    @cached_property
    def digest(self) -> Digest | None:
        auth = self.user.auth
        if auth is None:
            return None
        return Digest(auth, localized_key(auth, self.user.auth_password, self.engine_id))

    @cached_property
    def cipher(self) -> AesCfb | None:
        user = self.user
        if user.priv is None or user.auth is None:
            return None
        key = localized_key(user.auth, user.priv_password, self.engine_id)
        return AesCfb(key[: _KEY_BYTES[user.priv]])
