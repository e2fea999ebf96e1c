"""SET: which objects a manager may write, and the register writes that they stand for.

A value goes the way of a Modbus write of function 6 or 16 to the same register, through the same handler,
so it is journaled and refused alike. Locked tables are opened for the write and closed again, as the
manager has shown its right to write by community or user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from virtual_digiware.buses.interfaces import WriteHandler
from virtual_digiware.buses.snmp.ber import GAUGE32, INTEGER, Oid
from virtual_digiware.devices.block import PlacedBlock
from virtual_digiware.devices.collection import GatewayCollection
from virtual_digiware.devices.commands import UNLOCK_CODE
from virtual_digiware.devices.records import Refusal
from virtual_digiware.devices.settings import BAD_VALUE, LOCKED
from virtual_digiware.devices.snmp_binding import SnmpBinding
from virtual_digiware.devices.unit import Unit

_RESET = 1
_ALL_ENERGIES = 0x003F
_ALL = 0xFFFF
_SINGLE, _MULTIPLE = 6, 16
_LOCK = "lock"


class Status(IntEnum):
    """Error-status of a response. Source: RFC 3416, section 3."""

    NO_ERROR = 0
    TOO_BIG = 1
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_VALUE = 10
    NO_CREATION = 11
    RESOURCE_UNAVAILABLE = 13
    COMMIT_FAILED = 14
    AUTHORIZATION_ERROR = 16
    NOT_WRITABLE = 17


class SetRefused(Exception):
    """A SET that is not taken: `status` for the response, `index` of the variable from 0."""

    def __init__(self, status: Status, index: int) -> None:
        super().__init__(f"variable {index}: {status.name}")
        self.status = status
        self.index = index


@dataclass(frozen=True, slots=True)
class Assignment:
    """One variable of a SET: `tag` of the value's type, None in `value` for anything but an integer."""

    oid: Oid
    tag: int
    value: int | None


@dataclass(frozen=True, slots=True)
class RegisterWrite:
    """The write that an assignment stands for."""

    unit: Unit
    placed: PlacedBlock
    address: int
    words: tuple[int, ...]

    @property
    def function(self) -> int:
        single = len(self.words) == 1 and _SINGLE in self.placed.block.write_functions
        return _SINGLE if single else _MULTIPLE


Place = Callable[[Unit, int, int], RegisterWrite | None]
"""From unit, number (load, output, meter; 0 without) and value to the write; None: no such instance."""


@dataclass(frozen=True, slots=True)
class _Writable:
    tag: int
    allowed: range
    place: Place


class Writes:
    """The writable objects of one agent."""

    def __init__(self, collection: GatewayCollection, binding: SnmpBinding, handler: WriteHandler) -> None:
        self._collection = collection
        self._handler = handler
        product, load = binding.objects["product"], binding.objects["load"]
        output, meter = binding.objects["digital_output"], binding.objects["meter"]
        reset = range(_RESET + 1)
        self._objects: dict[Oid, _Writable] = {
            product.column("productResetExtremes"): _Writable(INTEGER, reset, _network_extremes),
            product.column("productAcknowledgeAlarm"): _Writable(GAUGE32, range(0x10000), _acknowledge),
            load.column("loadResetPartialEnergies"): _Writable(INTEGER, reset, _partial_energies),
            load.column("loadResetExtremes"): _Writable(INTEGER, reset, _extremes),
            load.column("loadResetAverageExtremes"): _Writable(INTEGER, reset, _average_extremes),
            output.column("outputState"): _Writable(INTEGER, range(2), _output),
            meter.column("meterReset"): _Writable(INTEGER, reset, _pulses),
        }

    def set(self, assignments: Sequence[Assignment]) -> None:
        """Take all assignments or none: everything is checked before the first write.

        A reset object that is set to idle changes nothing.

        Raises:
            SetRefused: Which variable is wrong and why. Source: RFC 3416, section 4.2.5.
        """
        planned = [
            (index, write)
            for index, assignment in enumerate(assignments)
            if (write := self._plan(index, assignment)) is not None
        ]
        for index, write in planned:
            self._check(index, write)
        for index, write in planned:
            if self._write(write) is not None:
                raise SetRefused(Status.COMMIT_FAILED, index)

    def _plan(self, index: int, assignment: Assignment) -> RegisterWrite | None:
        found = self._find(assignment.oid)
        if found is None:
            raise SetRefused(Status.NOT_WRITABLE, index)
        writable, instance = found
        if assignment.tag != writable.tag or assignment.value is None:
            raise SetRefused(Status.WRONG_TYPE, index)
        if assignment.value not in writable.allowed:
            raise SetRefused(Status.WRONG_VALUE, index)
        unit = self._collection.unit_at(instance[0]) if 1 <= len(instance) <= 2 else None
        if unit is None:
            raise SetRefused(Status.NO_CREATION, index)
        number = instance[1] if len(instance) == 2 else 0
        write = writable.place(unit, number, assignment.value)
        if write is None:
            raise SetRefused(Status.NO_CREATION, index)
        if not unit.is_present:
            raise SetRefused(Status.RESOURCE_UNAVAILABLE, index)
        return write if write.words else None

    def _find(self, oid: Oid) -> tuple[_Writable, Oid] | None:
        for size in (len(oid) - 1, len(oid) - 2):
            writable = self._objects.get(oid[:size])
            if writable is not None:
                return writable, oid[size:]
        return None

    def _check(self, index: int, write: RegisterWrite) -> None:
        refusal = write.unit.state.check(write.function, write.address, write.words)
        if refusal is None or refusal.exception_code == LOCKED:
            return
        status = Status.WRONG_VALUE if refusal.exception_code == BAD_VALUE else Status.NOT_WRITABLE
        raise SetRefused(status, index)

    def _write(self, write: RegisterWrite) -> Refusal | None:
        unit, lock = write.unit, _block(write.unit, _LOCK, 0)
        opens = write.placed.block.locked and not unit.state.is_unlocked and lock is not None
        if opens and lock is not None:
            refusal = self._handler.write(unit, _SINGLE, lock.base, (UNLOCK_CODE,))
            if refusal is not None:
                return refusal
        refusal = self._handler.write(unit, write.function, write.address, write.words)
        if opens and lock is not None:
            self._handler.write(unit, _SINGLE, lock.base, (0,))
        return refusal


def _block(unit: Unit, name: str, slot: int) -> PlacedBlock | None:
    return next(
        (placed for placed in unit.product.blocks if placed.block.name == name and placed.slot == slot),
        None,
    )


def _words(value: int, words: tuple[int, ...]) -> tuple[int, ...]:
    return words if value == _RESET else ()


def _network_extremes(unit: Unit, number: int, value: int) -> RegisterWrite | None:
    placed = _block(unit, "network_reset_extremes", 0)
    if placed is None or number:
        return None
    return RegisterWrite(unit, placed, placed.base, _words(value, (_ALL,)))


def _acknowledge(unit: Unit, number: int, value: int) -> RegisterWrite | None:
    placed = _block(unit, "alarm_ack", 0)
    return None if placed is None or number else RegisterWrite(unit, placed, placed.base, (value,))


def _of_load(unit: Unit, number: int, block: str, words: tuple[int, ...]) -> RegisterWrite | None:
    if not 1 <= number <= len(unit.slots):
        return None
    placed = _block(unit, block, number - 1)
    return None if placed is None else RegisterWrite(unit, placed, placed.base, words)


def _partial_energies(unit: Unit, number: int, value: int) -> RegisterWrite | None:
    return _of_load(unit, number, "load_reset_partial_energy", _words(value, (_ALL_ENERGIES,)))


def _extremes(unit: Unit, number: int, value: int) -> RegisterWrite | None:
    return _of_load(unit, number, "load_reset_extremes", _words(value, (0, _ALL)))


def _average_extremes(unit: Unit, number: int, value: int) -> RegisterWrite | None:
    return _of_load(unit, number, "load_reset_extremes", _words(value, (_ALL, 0)))


def _output(unit: Unit, number: int, value: int) -> RegisterWrite | None:
    placed = _block(unit, "digital_outputs", 0)
    if placed is None or not 1 <= number <= int(unit.product.features.get("digital_outputs", 0)):
        return None
    point = "command_on_mask" if value else "command_off_mask"
    offset = next(row.offset for row in placed.block.rows if row.point == point)
    return RegisterWrite(unit, placed, placed.base + offset, (1 << (number - 1),))


def _pulses(unit: Unit, number: int, value: int) -> RegisterWrite | None:
    placed = _block(unit, "pulse_reset", 0)
    if placed is None or not 1 <= number <= int(unit.product.features.get("meters", 0)):
        return None
    return RegisterWrite(unit, placed, placed.base, _words(value, (1 << (number - 1), 0)))
