"""What a unit answers to a request PDU: examples of the specification first, then everything odd."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.buses.modbus import endpoint


class Bank:
    """Registers 0x006B to 0x006D of the specification's example, and whatever is written."""

    def __init__(self, refusal: int = 0) -> None:
        self.registers = {0x6B: 0x022B, 0x6C: 0x0000, 0x6D: 0x0064, 65535: 1}
        self.refusal = refusal
        self.writes: list[tuple[int, int, Sequence[int]]] = []

    def read(self, function: int, address: int, count: int) -> bytes | None:
        try:
            return struct.pack(f">{count}H", *(self.registers[address + n] for n in range(count)))
        except KeyError:
            return None

    def write(self, function: int, address: int, values: Sequence[int]) -> int:
        self.writes.append((function, address, values))
        return self.refusal

    def identification(self) -> Mapping[int, bytes]:
        return {0: b"Company", 1: b"Product", 2: b"V2.11", 4: b"Long name", 6: b"Mine"}


def ask(request: str, refusal: int = 0) -> str:
    return endpoint.answer(Bank(refusal), bytes.fromhex(request)).hex(" ")


@pytest.mark.parametrize(
    ("request_pdu", "response_pdu"),
    [  # MODBUS Application Protocol V1.1b3, the examples of sections 6.3, 6.4, 6.6 and 6.12
        ("03 006b 0003", "03 06 02 2b 00 00 00 64"),
        ("04 006b 0003", "04 06 02 2b 00 00 00 64"),
        ("06 0001 0003", "06 00 01 00 03"),
        ("10 0001 0002 04 000a 0102", "10 00 01 00 02"),
    ],
)
def test_a_unit_answers_as_the_specification_shows(request_pdu: str, response_pdu: str) -> None:
    assert ask(request_pdu) == response_pdu


def test_values_reach_the_unit_as_they_were_sent() -> None:
    bank = Bank()
    endpoint.answer(bank, bytes.fromhex("06 0001 ffff"))
    endpoint.answer(bank, bytes.fromhex("10 e300 0002 04 000a 0102"))
    assert bank.writes == [(6, 1, (0xFFFF,)), (16, 0xE300, (0x000A, 0x0102))]


@pytest.mark.parametrize(
    ("request_pdu", "response_pdu"),
    [
        ("03 006b 0000", "83 03"),  # no word at all
        ("04 006b 0000", "84 03"),
        ("03 006b 007e", "83 03"),  # 126
        ("03 006b ffff", "83 03"),
        ("03 006a 0001", "83 02"),
        ("03 006d 0002", "83 02"),
        ("03 ffff 0002", "83 02"),  # beyond the last address
        ("03 ffff 0001", "03 02 00 01"),
        ("03 0000 007e", "83 03"),  # wrong count and wrong address: the count is looked at first
        ("03", "83 03"),
        ("03 006b", "83 03"),
        ("03 006b 00", "83 03"),
        ("03 006b 0001 00", "83 03"),
        ("06 0001", "86 03"),
        ("06 0001 0003 00", "86 03"),
        ("10", "90 03"),
        ("10 0001 0002 04 000a", "90 03"),  # fewer bytes than counted
        ("10 0001 0002 04 000a 0102 03", "90 03"),  # more
        ("10 0001 0002 03 000a 01", "90 03"),  # count and bytes disagree
        ("10 0001 0001 04 000a 0102", "90 03"),
        ("10 0001 0000 00", "90 03"),
        ("10 ffff 0002 04 000a 0102", "90 02"),
        ("10 0001 007c f8" + "00" * 248, "90 03"),  # 124 words, one too many
        ("00", "80 01"),
        ("01 0000 0001", "81 01"),
        ("02 0000 0001", "82 01"),
        ("05 0000 ff00", "85 01"),
        ("07", "87 01"),
        ("08 0000 1234", "88 01"),
        ("0b", "8b 01"),
        ("0f 0000 0001 01 01", "8f 01"),
        ("11", "91 01"),
        ("14 07 06 0001 0000 0001", "94 01"),
        ("16 0000 0000 0000", "96 01"),
        ("17 0000 0001 0000 0001 02 0000", "97 01"),
        ("18 0000", "98 01"),
        ("41", "c1 01"),
        ("7f ff ff", "ff 01"),
        ("83 02", "83 01"),
        ("ff", "ff 01"),
        ("2b", "ab 03"),
        ("2b 0d 00 00", "ab 01"),  # CANopen, which no module speaks
        ("2b 0e", "ab 03"),
        ("2b 0e 01", "ab 03"),
        ("2b 0e 01 00 00", "ab 03"),
        ("2b 0e 00 00", "ab 03"),
        ("2b 0e 05 00", "ab 03"),
        ("2b 0e 04 03", "ab 02"),
        ("2b 0e 04 80", "ab 02"),
    ],
)
def test_what_cannot_be_answered_gets_the_right_exception(request_pdu: str, response_pdu: str) -> None:
    assert ask(request_pdu) == response_pdu


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_a_refused_write_gets_the_code_of_the_refusal(code: int) -> None:
    assert ask("06 0001 0003", code) == f"86 0{code}"
    assert ask("10 0001 0001 02 000a", code) == f"90 0{code}"


def test_123_words_can_be_written() -> None:
    assert ask("10 0001 007b f6" + "00" * 246) == "10 00 01 00 7b"


def objects(response: bytes) -> dict[int, bytes]:
    assert response[:2] == b"\x2b\x0e"
    found, at = {}, 7
    for _ in range(response[6]):
        size = response[at + 1]
        found[response[at]] = response[at + 2 : at + 2 + size]
        at += 2 + size
    assert at == len(response)
    return found


def identify(code: int, object_id: int) -> bytes:
    return endpoint.answer(Bank(), bytes((0x2B, 0x0E, code, object_id)))


def test_basic_identification_is_the_specification_s_example() -> None:
    # V1.1b3, section 6.21, with the longer texts of this bank; 0x82: regular, by stream and one by one
    assert identify(1, 0).startswith(bytes.fromhex("2b 0e 01 82 00 00 03 00 07") + b"Company")
    assert objects(identify(1, 0)) == {0: b"Company", 1: b"Product", 2: b"V2.11"}


@pytest.mark.parametrize("code", [2, 3])
def test_regular_identification_adds_the_other_objects_and_extended_has_no_more(code: int) -> None:
    assert set(objects(identify(code, 0))) == {0, 1, 2, 4, 6}
    assert identify(code, 0)[2] == code


def test_a_stream_starts_where_the_client_says_or_at_the_beginning() -> None:
    assert set(objects(identify(1, 1))) == {1, 2}
    assert set(objects(identify(2, 4))) == {4, 6}
    assert set(objects(identify(1, 4))) == {0, 1, 2}
    assert set(objects(identify(2, 3))) == {0, 1, 2, 4, 6}


def test_one_object_can_be_asked_for() -> None:
    assert objects(identify(4, 4)) == {4: b"Long name"}


@given(st.binary(min_size=1, max_size=253))
def test_every_pdu_gets_an_answer_of_its_own_function(pdu: bytes) -> None:
    response = endpoint.answer(Bank(), pdu)
    assert response[0] in (pdu[0], pdu[0] | 0x80)
    assert len(response) <= 253
    if response[0] & 0x80:
        assert response[1] in (1, 2, 3)
        assert len(response) == 2


@pytest.mark.parametrize(
    ("request_hex", "size"),
    [
        ("", 0),
        ("04", 0),
        ("0403", 8),
        ("0404", 8),
        ("0406", 8),
        ("0410 0000 0001", 0),
        ("0410 0000 0001 02", 11),
        ("042b", 0),
        ("042b 0e 01", 7),
        ("042b 0d 01", None),
        ("0400", None),
        ("0441", None),
        ("0483", None),
    ],
)
def test_the_length_of_an_rtu_request_follows_from_its_front(request_hex: str, size: int | None) -> None:
    assert endpoint.rtu_request_size(bytes.fromhex(request_hex)) == size
