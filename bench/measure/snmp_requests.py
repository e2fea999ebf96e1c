"""SNMP requests made beforehand, and a look at one reply in full before anything is counted."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from virtual_digiware.buses.snmp.ber import (
    GET,
    GET_BULK,
    INTEGER,
    OCTET_STRING,
    RESPONSE,
    SEQUENCE,
    Oid,
    integer,
    oid_content,
    read_tlv,
    tlv,
)
from virtual_digiware.buses.snmp.settings import User
from virtual_digiware.buses.snmp.usm import LocalUser

Work = Literal["get", "bulk", "v3 get"]
WORKS: tuple[Work, ...] = ("get", "bulk", "v3 get")
REPETITIONS = 25
REQUESTS = 256
USER, PASSWORD = "bench", "benchbench"
_TIMEOUT_S = 5.0
_FIRST_ID = 0x10000


class WrongReply(Exception):
    """A server does not answer the work it is to be measured with; a rate of such answers means nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """What one server is asked: an existing instance, of which GETBULK asks for the 25 that follow."""

    port: int
    community: str
    oid: Oid
    context: bytes = b""
    """Context of v3 requests."""


def varbinds(work: Work) -> int:
    """Variable bindings of a right reply."""
    return REPETITIONS if work == "bulk" else 1


def write_requests(path: Path, question: Question, work: Work) -> None:
    """Make the requests of one measurement, and check that the first is answered rightly.

    Raises:
        WrongReply: It is not.
    """
    if work == "v3 get":
        engine, boots, time = _discovered(question)
        local = LocalUser(User(USER, "read", "SHA1", PASSWORD, "AES128", PASSWORD), engine)
        if boots == 0:  # some tell their time only to those who are authentic
            boots, time = _synchronised(question, local)
        messages = [
            _v3(local, question, number, boots, time) for number in range(_FIRST_ID, _FIRST_ID + REQUESTS)
        ]
        _check(_opened(local, _ask(question.port, messages[0])), work)
    else:
        messages = [
            _v2c(question, _pdu(question, work, number)) for number in range(_FIRST_ID, _FIRST_ID + REQUESTS)
        ]
        _check(_ask(question.port, messages[0]), work)
    path.write_bytes(b"".join(len(one).to_bytes(2, "big") + one for one in messages))


def _pdu(question: Question, work: Work, number: int) -> bytes:
    kind, second = (GET_BULK, REPETITIONS) if work == "bulk" else (GET, 0)
    name = tlv(0x06, oid_content(question.oid))
    content = integer(number) + integer(0) + integer(second) + tlv(SEQUENCE, tlv(SEQUENCE, name + b"\5\0"))
    return tlv(kind, content)


def _v2c(question: Question, pdu: bytes) -> bytes:
    return tlv(SEQUENCE, integer(1) + tlv(OCTET_STRING, question.community.encode()) + pdu)


def _v3(local: LocalUser, question: Question, number: int, boots: int, time: int) -> bytes:
    """An authPriv request; every one with a salt of its own."""
    cipher, digest = local.cipher, local.digest
    assert cipher is not None
    assert digest is not None
    salt = number.to_bytes(8, "big")
    scoped = tlv(OCTET_STRING, local.engine_id) + tlv(OCTET_STRING, question.context)
    clear = tlv(SEQUENCE, scoped + _pdu(question, "get", number))
    iv = boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt
    encrypted = tlv(OCTET_STRING, cipher.encrypt(iv, clear))
    front = tlv(OCTET_STRING, local.engine_id) + integer(boots) + integer(time)
    front += tlv(OCTET_STRING, local.user.name.encode())

    def whole(authentication: bytes) -> bytes:
        fields = tlv(SEQUENCE, front + tlv(OCTET_STRING, authentication) + tlv(OCTET_STRING, salt))
        return _v3_message(number, 7, fields, encrypted)

    return whole(digest.of(whole(bytes(digest.size))))


def _v3_message(number: int, flags: int, fields: bytes, data: bytes) -> bytes:
    header = integer(number) + integer(65507) + tlv(OCTET_STRING, bytes((flags,))) + integer(3)
    return tlv(SEQUENCE, integer(3) + tlv(SEQUENCE, header) + tlv(OCTET_STRING, fields) + data)


def _discovered(question: Question) -> tuple[bytes, int, int]:
    """Engine id, boots and time that a server reports to a stranger."""
    fields = tlv(SEQUENCE, tlv(OCTET_STRING, b"") + integer(0) * 2 + tlv(OCTET_STRING, b"") * 3)
    nothing = tlv(GET, integer(1) + integer(0) * 2 + tlv(SEQUENCE, b""))
    data = tlv(SEQUENCE, tlv(OCTET_STRING, b"") * 2 + nothing)
    values, _ = _security(_ask(question.port, _v3_message(1, 4, fields, data)))
    return values[0], int.from_bytes(values[1], "big"), int.from_bytes(values[2], "big")


def _synchronised(question: Question, local: LocalUser) -> tuple[int, int]:
    values, _ = _security(_ask(question.port, _v3(local, question, 2, 0, 0)))
    return int.from_bytes(values[1], "big"), int.from_bytes(values[2], "big")


def _security(message: bytes) -> tuple[list[bytes], bytes]:
    """Contents of the six security parameters of a v3 message, and what follows them."""
    begin, _ = read_tlv(message, 0, SEQUENCE)
    _, header_end = read_tlv(message, begin + 3, SEQUENCE)
    security, data = read_tlv(message, header_end, OCTET_STRING)
    at, _ = read_tlv(message, security, SEQUENCE)
    values = []
    for tag in (OCTET_STRING, INTEGER, INTEGER, OCTET_STRING, OCTET_STRING, OCTET_STRING):
        begin, at = read_tlv(message, at, tag)
        values.append(message[begin:at])
    return values, message[data:]


def _opened(local: LocalUser, message: bytes) -> bytes:
    """A message with its PDU in clear, after its digest has been found right."""
    values, data = _security(message)
    digest, cipher = local.digest, local.cipher
    assert digest is not None
    assert cipher is not None
    _, boots, time, _, authentication, salt = values
    if digest.of(message.replace(authentication, bytes(digest.size), 1)) != authentication:
        raise WrongReply(f"not authentic: {message.hex(' ')}")
    begin, end = read_tlv(data, 0, OCTET_STRING)
    iv = boots.rjust(4, b"\0")[-4:] + time.rjust(4, b"\0")[-4:] + salt
    return cipher.decrypt(iv, data[begin:end])


def _check(message: bytes, work: Work) -> None:
    """One variable binding for each that was asked for, and each with a number in it."""
    at = message.index(bytes((RESPONSE,)))
    begin, _ = read_tlv(message, at, RESPONSE)
    _, begin = read_tlv(message, begin, INTEGER)
    status, begin = read_tlv(message, begin, INTEGER)
    _, begin = read_tlv(message, begin, INTEGER)
    at, end = read_tlv(message, begin, SEQUENCE)
    values = []
    while at < end:
        name, following = read_tlv(message, at, SEQUENCE)
        _, value = read_tlv(message, name, 0x06)
        values.append(message[value:following])
        at = following
    numbers: Sequence[bytes] = [value for value in values if value[0] in (0x02, 0x41, 0x42, 0x43, 0x46)]
    if message[status] != 0 or len(numbers) != varbinds(work):
        raise WrongReply(f"{work}: {message.hex(' ')}")


def _ask(port: int, message: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as manager:
        manager.settimeout(_TIMEOUT_S)
        manager.connect(("127.0.0.1", port))
        manager.send(message)
        return manager.recv(65536)
