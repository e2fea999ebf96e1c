"""The short path for whole messages: v1, v2c and v3 framing around the response PDUs of `requests`.

Rules of the library that it keeps: a community belongs to one version; a v3 message is authentic, in the time
window, of the user's own security level and for this engine. What fails one of them is not answered here but
left to pysnmp, which counts and reports it. Source: RFC 3412, section 6 (message), RFC 3414, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest

from virtual_digiware.buses.snmp.ber import (
    INTEGER,
    LENGTHS,
    OCTET_STRING,
    SEQUENCE,
    NotPlain,
    integer,
    read_integer,
    read_tlv,
    tlv,
)
from virtual_digiware.buses.snmp.requests import ShortAnswers
from virtual_digiware.buses.snmp.settings import MAX_MESSAGE_BYTES, MAX_VARBIND_BYTES, Community, User
from virtual_digiware.buses.snmp.standard_objects import Engine
from virtual_digiware.buses.snmp.usm import AesCfb, Digest, LocalUser

V1, V2C, V3 = 0, 1, 3
_USM = b"\x02\x01\x03"
_V3 = b"\x02\x01\x03"
_LEVEL_FLAGS = {1: 0, 2: 1, 3: 3}
_REPORTABLE = 4
_TIME_WINDOW_S = 150
"""Source: RFC 3414, section 3.2, step 7."""
_MAX_BOOTS = 0x7FFFFFFF
_SALT_HEADER = b"\x04\x08"
_SALT_BYTES = 10
"""With its header. Source: RFC 3826, section 3.1.4."""
_RECENT = 4
"""Managers whose security parameters are kept parsed."""
_HEADER_BYTES = 48 + 72
"""Room that a response needs around its variable bindings, besides the security parameters."""
_MIN_MAX_SIZE = 484
"""Smallest message size that a manager may announce. Source: RFC 3412, section 6."""
_OWN_MAX_SIZE = integer(MAX_MESSAGE_BYTES)


def varbind_budget(max_message_bytes: int, security_bytes: int) -> int:
    """Room for variable bindings in a v3 response, given what the manager takes."""
    return min(max_message_bytes - security_bytes - _HEADER_BYTES, MAX_VARBIND_BYTES)


@dataclass(frozen=True, slots=True)
class _Security:
    """Security parameters of encrypted requests up to the digest, which stay the same for a second or longer.

    `before` has the header of the digest as its last octets; then come the digest, a salt and the encrypted
    data. Equal octets parse alike, so all but the time window is known of a message that has them.
    """

    before: bytes
    user: LocalUser
    name: bytes
    boots: int
    time: int
    digest: Digest
    cipher: AesCfb

    @property
    def data_offset(self) -> int:
        """Where the encrypted data begins, counted from the security parameters."""
        return len(self.before) + self.digest.size + _SALT_BYTES


class ShortPath:
    """Answers plain requests.

    Args:
        answers: Response PDUs.
        communities: Those of the agent, with its users.
        engine: Its identity and clock.
    """

    def __init__(
        self, answers: ShortAnswers, communities: Sequence[Community], users: Sequence[User], engine: Engine
    ) -> None:
        self._answers = answers
        self._communities = {(V1 if one.version == "v1" else V2C, one.name.encode()) for one in communities}
        local = (LocalUser(user, engine.id) for user in users)
        self._users = {one.user.name.encode(): one for one in local if one.is_plain}
        self._engine = engine
        self._engine_id = tlv(OCTET_STRING, engine.id)
        self._boots = integer(engine.boots)
        # Distinct for every message of every start of this engine, as the cipher needs it.
        seed = blake2b(engine.id + engine.boots.to_bytes(4, "big"), digest_size=8).digest()
        self._salt = int.from_bytes(seed, "big")
        self._recent: list[_Security] = []
        self._fronts: dict[bytes, tuple[int, bytes]] = {}

    def reply(self, message: bytes) -> bytes | None:
        """The reply to one datagram, or None when only pysnmp can tell what is right."""
        try:
            begin, end = read_tlv(message, 0, SEQUENCE)
            if end != len(message) or message[begin : begin + 2] != b"\x02\x01":
                return None
            version = message[begin + 2]
            if version == V3:
                return self._reply_v3(message, begin + 3)
            at = begin + 3
            name, pdu_at = read_tlv(message, at, OCTET_STRING)
            if (version, message[name:pdu_at]) not in self._communities:
                return None
            pdu = self._answers.response(message[pdu_at:], version == V1)
        except (NotPlain, IndexError):
            return None
        body = message[begin : begin + 3] + tlv(OCTET_STRING, message[name:pdu_at]) + pdu
        return b"\x30" + LENGTHS[len(body)] + body

    def _reply_v3(self, message: bytes, at: int) -> bytes | None:
        header, at = read_tlv(message, at, SEQUENCE)
        id_begin, id_end = read_tlv(message, header, INTEGER)
        if read_integer(message[id_begin:id_end]) < 0:
            return None
        size_begin, size_end = read_tlv(message, id_end, INTEGER)
        max_size = read_integer(message[size_begin:size_end])
        flags, flags_end = read_tlv(message, size_end, OCTET_STRING)
        if flags_end != flags + 1 or message[flags_end:at] != _USM or max_size < _MIN_MAX_SIZE:
            return None
        if message[flags] & ~_REPORTABLE == _LEVEL_FLAGS[3]:
            for known in self._recent:
                if message.startswith(known.before, at):
                    return self._reply_known(message, at, known, message[header:id_end], max_size)
        security, data = read_tlv(message, at, OCTET_STRING)
        fields, fields_end = read_tlv(message, security, SEQUENCE)
        boots_at = fields + len(self._engine_id)
        if message[fields:boots_at] != self._engine_id or fields_end != data:
            return None
        boots, boots_end = read_tlv(message, boots_at, INTEGER)
        time, time_end = read_tlv(message, boots_end, INTEGER)
        name, name_end = read_tlv(message, time_end, OCTET_STRING)
        auth, auth_end = read_tlv(message, name_end, OCTET_STRING)
        salt, salt_end = read_tlv(message, auth_end, OCTET_STRING)
        user = self._users.get(message[name:name_end])
        if user is None or salt_end != fields_end:
            return None
        level = user.user.level
        if message[flags] & ~_REPORTABLE != _LEVEL_FLAGS[level]:
            return None
        msg_boots = read_integer(message[boots:boots_end])
        msg_time = read_integer(message[time:time_end])
        if level == 3:
            if user.digest is None or user.cipher is None or auth_end - auth != user.digest.size:
                return None
            parsed = message[at:auth], user, message[name:name_end], msg_boots, msg_time
            known = _Security(*parsed, user.digest, user.cipher)
            reply = self._reply_known(message, at, known, message[header:id_end], max_size)
            if reply is not None:
                self._recent = [known, *self._recent[: _RECENT - 1]]
            return reply
        if level == 2 and not self._is_authentic(user, message, auth, auth_end, msg_boots, msg_time):
            return None
        if (level == 1 and auth != auth_end) or salt != salt_end:
            return None
        pdu = self._pdu(message[data:], varbind_budget(max_size, data - security))
        return self._framed(message[header:id_end], user, message[name:name_end], pdu)

    def _reply_known(
        self, message: bytes, at: int, known: _Security, message_id: bytes, max_size: int
    ) -> bytes | None:
        """The reply to an encrypted request, its security parameters parsed."""
        auth = at + len(known.before)
        auth_end = auth + known.digest.size
        data = at + known.data_offset
        if message[auth_end : auth_end + 2] != _SALT_HEADER:
            return None
        if not self._is_authentic(known.user, message, auth, auth_end, known.boots, known.time):
            return None
        encrypted, encrypted_end = read_tlv(message, data, OCTET_STRING)
        if encrypted_end != len(message):
            return None
        iv = known.boots.to_bytes(4, "big") + known.time.to_bytes(4, "big") + message[auth_end + 2 : data]
        scoped = known.cipher.decrypt(iv, message[encrypted:encrypted_end])
        length_octets = 2 if message[at + 1] < 0x80 else 2 + (message[at + 1] & 0x7F)
        pdu = self._pdu(scoped, varbind_budget(max_size, known.data_offset - length_octets))
        return self._framed(message_id, known.user, known.name, pdu)

    def _is_authentic(
        self, user: LocalUser, message: bytes, auth: int, auth_end: int, boots: int, time: int
    ) -> bool:
        digest = user.digest
        if digest is None or auth_end - auth != digest.size:
            return False
        blanked = message[:auth] + bytes(digest.size) + message[auth_end:]
        if not compare_digest(digest.of(blanked), message[auth:auth_end]):
            return False
        engine = self._engine
        is_fresh = abs(engine.elapsed_s() - time) <= _TIME_WINDOW_S
        return boots == engine.boots != _MAX_BOOTS and is_fresh and time >= 0

    def _pdu(self, scoped: bytes, budget: int) -> bytes:
        """The response's scoped PDU to a request's: for this engine, and for the context without a name."""
        begin, end = read_tlv(scoped, 0, SEQUENCE)
        pdu_at = begin + len(self._engine_id) + 2
        if end != len(scoped) or scoped[begin:pdu_at] != self._engine_id + b"\x04\x00":
            raise NotPlain
        if budget <= 0:
            raise NotPlain
        return tlv(SEQUENCE, scoped[begin:pdu_at] + self._answers.response(scoped[pdu_at:], False, budget))

    def _framed(self, message_id: bytes, user: LocalUser, name: bytes, scoped: bytes) -> bytes:
        level = user.user.level
        flags = bytes((OCTET_STRING, 1, _LEVEL_FLAGS[level]))
        head = _V3 + tlv(SEQUENCE, message_id + _OWN_MAX_SIZE + flags + _USM)
        elapsed_s = self._engine.elapsed_s()
        salt = b""
        if level == 3 and user.cipher is not None:
            self._salt = self._salt + 1 & 0xFFFFFFFFFFFFFFFF
            salt = self._salt.to_bytes(8, "big")
            iv = self._engine.boots.to_bytes(4, "big") + elapsed_s.to_bytes(4, "big") + salt
            scoped = tlv(OCTET_STRING, user.cipher.encrypt(iv, scoped))
        digest = user.digest
        kept = self._fronts.get(name)
        if kept is None or kept[0] != elapsed_s:
            kept = self._fronts[name] = elapsed_s, self._security_front(name, digest, elapsed_s, len(salt))
        size = 0 if digest is None else digest.size
        body = head + kept[1] + bytes(size) + bytes((OCTET_STRING, len(salt))) + salt + scoped
        message = b"\x30" + LENGTHS[len(body)] + body
        if digest is None:
            return message
        # The digest stands in front of the salt, which stands in front of the scoped PDU.
        end = len(message) - len(scoped) - len(salt) - 2
        return message[: end - size] + digest.of(message) + message[end:]

    def _security_front(self, name: bytes, digest: Digest | None, elapsed_s: int, salt_bytes: int) -> bytes:
        """Security parameters of a response up to the digest."""
        size = 0 if digest is None else digest.size
        front = self._engine_id + self._boots + integer(elapsed_s) + tlv(OCTET_STRING, name)
        behind = bytes(size + 2 + salt_bytes)
        whole = tlv(OCTET_STRING, tlv(SEQUENCE, front + bytes((OCTET_STRING, size)) + behind))
        return whole[: len(whole) - len(behind)]
