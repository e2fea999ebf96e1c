"""The one door to pymodbus: its decoder, its PDU classes and its framers decide what a correct answer is.

Handed a register bank, never a device; knows no socket. Import it late: it brings all of pymodbus.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from struct import unpack
from typing import Protocol

from pymodbus.constants import ExcCodes
from pymodbus.framer.rtu import FramerRTU
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

ILLEGAL_FUNCTION = int(ExcCodes.ILLEGAL_FUNCTION)
ILLEGAL_ADDRESS = int(ExcCodes.ILLEGAL_ADDRESS)
ILLEGAL_VALUE = int(ExcCodes.ILLEGAL_VALUE)
DEVICE_FAILURE = int(ExcCodes.DEVICE_FAILURE)
TARGET_FAILED = int(ExcCodes.GATEWAY_NO_RESPONSE)

MAX_WRITE_WORDS = 123
"""Source: MODBUS Application Protocol V1.1b3, section 6.12; pymodbus does not check it while decoding."""

_ADDRESSES = 65536
_CONFORMITY_REGULAR = 0x82  # basic and regular objects, by stream and one by one; section 6.21
_FIXED_SIZE = {3: 5, 4: 5, 6: 5, 43: 4}  # of the whole PDU
_WRITE_HEAD = 6  # function, address, count and byte count in front of the values of function 16
_BASIC_LAST, _REGULAR_LAST = 0x02, 0x06

_DECODER = DecodePDU(True)
_SOCKET = FramerSocket(_DECODER)
_RTU = FramerRTU(_DECODER)
_RESPONSES = DecodePDU(False)

# Peers' mistakes are counted and answered; pymodbus would also put a line for each of them on stderr.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class RegisterBank(Protocol):
    """What one unit offers to a client."""

    def read(self, function: int, address: int, count: int) -> bytes | None:
        """Bytes of the registers that function 3 or 4 reads, or None when one of them does not exist."""

    def write(self, function: int, address: int, values: Sequence[int]) -> int:
        """Take the values and return 0, or return the exception code of the refusal."""

    def identification(self) -> Mapping[int, bytes]:
        """Objects of function 43/14 by object id, 0 to 6, those that the unit has."""


def answer(bank: RegisterBank, pdu: bytes) -> bytes:
    """The response PDU to a request PDU: functions 3, 4, 6, 16, 43/14, an exception to anything else.

    Source: MODBUS Application Protocol V1.1b3, sections 6 and 7: the function is checked first, then
    quantity and size (exception 3), then the addresses (exception 2).
    """
    function = pdu[0]
    response = _respond(bank, pdu)
    if isinstance(response, int):
        response = ExceptionResponse(function & 0x7F, response)
    return response.function_code.to_bytes(1, "big") + response.encode()


def _respond(bank: RegisterBank, pdu: bytes) -> ModbusPDU | int:
    function = pdu[0]
    if function not in (3, 4, 6, 16, 43):
        return ILLEGAL_FUNCTION
    if function == 43 and len(pdu) > 1 and pdu[1] != ReadDeviceInformationRequest.sub_function_code:
        return ILLEGAL_FUNCTION  # another MEI type, say CANopen; section 6.19
    if len(pdu) != _FIXED_SIZE.get(function, len(pdu)):
        return ILLEGAL_VALUE
    request = _DECODER.decode(pdu)
    if isinstance(request, ReadHoldingRegistersRequest | ReadInputRegistersRequest):
        return _read(bank, request)
    if isinstance(request, WriteSingleRegisterRequest):
        return _write_single(bank, request)
    if isinstance(request, WriteMultipleRegistersRequest):
        return _write_multiple(bank, request, len(pdu))
    if isinstance(request, ReadDeviceInformationRequest):
        return _identify(bank, request)
    return ILLEGAL_VALUE  # a known function whose content pymodbus could not decode


def _read(bank: RegisterBank, request: ReadHoldingRegistersRequest) -> ModbusPDU | int:
    if request.address + request.count > _ADDRESSES:
        return ILLEGAL_ADDRESS
    data = bank.read(request.function_code, request.address, request.count)
    if data is None:
        return ILLEGAL_ADDRESS
    registers = unpack(f">{request.count}H", data)
    kind = ReadHoldingRegistersResponse if request.function_code == 3 else ReadInputRegistersResponse
    return kind(registers=registers)


def _write_single(bank: RegisterBank, request: WriteSingleRegisterRequest) -> ModbusPDU | int:
    code = bank.write(6, request.address, tuple(request.registers))
    return code or WriteSingleRegisterResponse(address=request.address, registers=request.registers)


def _write_multiple(bank: RegisterBank, request: WriteMultipleRegistersRequest, size: int) -> ModbusPDU | int:
    is_whole = request.byte_count == 2 * request.count == size - _WRITE_HEAD
    if not is_whole or not 1 <= request.count <= MAX_WRITE_WORDS:
        return ILLEGAL_VALUE
    if request.address + request.count > _ADDRESSES:
        return ILLEGAL_ADDRESS
    code = bank.write(16, request.address, tuple(request.registers))
    return code or WriteMultipleRegistersResponse(address=request.address, count=request.count)


def _identify(bank: RegisterBank, request: ReadDeviceInformationRequest) -> ModbusPDU | int:
    """Function 43/14, conformity level regular. Source: V1.1b3, section 6.21.

    A stream from an object that is not there starts at the beginning; a level above ours gets ours.
    """
    objects = dict(sorted(bank.identification().items()))
    wanted, code = request.object_id, request.read_code
    if code == 4:
        if wanted not in objects:
            return ILLEGAL_ADDRESS
        chosen = {wanted: objects[wanted]}
    elif code in (1, 2, 3):
        last = _BASIC_LAST if code == 1 else _REGULAR_LAST
        stream = {number: value for number, value in objects.items() if number <= last}
        first = wanted if wanted in stream else 0
        chosen = {number: value for number, value in stream.items() if number >= first}
    else:
        return ILLEGAL_VALUE
    response = ReadDeviceInformationResponse(read_code=code, information=chosen)
    response.conformity = _CONFORMITY_REGULAR
    return response


def tcp_parts(frame: bytes) -> tuple[int, int, bytes]:
    """Transaction id, unit id and request PDU of one whole frame with its MBAP header."""
    _, unit_id, transaction_id, pdu = _SOCKET.decode(frame)
    return transaction_id, unit_id, pdu


def tcp_frame(pdu: bytes, unit_id: int, transaction_id: int) -> bytes:
    """A response PDU with its MBAP header."""
    return _SOCKET.encode(pdu, unit_id, transaction_id)


def rtu_frame(pdu: bytes, unit_id: int) -> bytes:
    """A response PDU with unit id in front and CRC behind."""
    return _RTU.encode(pdu, unit_id, 0)


def has_valid_crc(frame: bytes) -> bool:
    """Whether the last two bytes are the CRC of those before them."""
    return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


def rtu_response(heard: bytes, unit_id: int, function: int) -> bytes | None:
    """The response PDU in what a client heard after its request; None when it is not one to this request."""
    if len(heard) < 5 or not has_valid_crc(heard) or heard[0] != unit_id or heard[1] & 0x7F != function:
        return None
    pdu = heard[1:-2]
    return None if _RESPONSES.decode(pdu) is None else pdu


def rtu_request_size(data: bytes) -> int | None:
    """Length of the RTU request frame that begins `data`, CRC included.

    Returns:
        0 while too few bytes are there to say; None when the function is not one whose length is known.
    """
    if len(data) < 2:
        return 0
    if data[1] == 0 or data[1] >= 0x80:
        return None
    if len(data) < 4 and data[1] in _DECODER.pdu_sub_table:
        return 0  # the sub-function decides, and pymodbus would look for it behind the end
    kind = _DECODER.lookupPduClass(data)
    return None if kind is None else kind.calculateRtuFrameSize(data)
