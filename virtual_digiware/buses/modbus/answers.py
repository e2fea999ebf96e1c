"""From a request to its response: the short path for plain reads, pymodbus for everything else.

The short path answers functions 3 and 4 with a slice of the register image. What it cannot answer (a hole, an
impossible count, another function, garbage) goes to `endpoint`, which decides; where both can answer, their
bytes are identical, and a property test says so. Knows no socket and no framing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from virtual_digiware.buses.identification import basic_and_regular_objects
from virtual_digiware.buses.interfaces import Directory, Unit, WriteHandler
from virtual_digiware.buses.interference import UnitTrouble
from virtual_digiware.buses.modbus.counters import Counters
from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.devices.block import Product

MAX_READ_WORDS = 125
"""Source: MODBUS Application Protocol V1.1b3, section 6.3. COUNTIS manuals print 128, beyond the standard."""

_ILLEGAL_FUNCTION, _ILLEGAL_VALUE = 1, 3
_DEVICE_FAILURE = 4
_TARGET_FAILED = 11


class Answers:
    """Responses of all units behind one port.

    Args:
        directory: Who answers for a unit id here.
        images: Register images, shared with the other ports of the site.
        handler: Takes the writes.
        counters: Of the port; exceptions and failures are counted here, requests by the port.
    """

    def __init__(
        self, directory: Directory, images: Images, handler: WriteHandler, counters: Counters
    ) -> None:
        self.images = images
        self.counters = counters
        self.trouble: UnitTrouble | None = None
        """What is the matter with single units; None while nothing is."""
        self._directory = directory
        self._handler = handler
        self._found: dict[int, Unit | None] = {}
        self._found_version = images.site.version

    def short(self, unit_id: int, function: int, address: int, count: int) -> bytes | None:
        """Response PDU to a plain read, or None when only `full` can tell what is right."""
        if not 1 <= count <= MAX_READ_WORDS or function not in (3, 4):
            return None
        unit = self._find(unit_id)
        if unit is None:
            return None
        if unit.product.functions and refusal_of(unit.product, function, count):
            return None
        if self.trouble is not None and self.trouble.concerns(unit.path):
            return None
        try:
            data = self.images.of(unit).read(address, count, function)
        except Exception:  # `full` meets it again, and reports it
            return None
        return None if data is None else bytes((function, 2 * count)) + data

    def full(self, unit_id: int, pdu: bytes) -> bytes | None:
        """Response PDU to any request PDU of at least one byte; None when no unit answers."""
        from virtual_digiware.buses.modbus import endpoint

        unit = self._find(unit_id)
        if unit is None:
            self.counters.unanswered += 1
            self.counters.collisions += self._directory.claims(unit_id) > 1
            return None
        refusal = 0 if self.trouble is None else self.trouble.exception(unit.path)
        if refusal:
            self.counters.exceptions += 1
            return exception_pdu(pdu[0], refusal)
        if unit.product.functions:
            refusal = refusal_of(unit.product, pdu[0], int.from_bytes(pdu[3:5]) if len(pdu) == 5 else None)
        if refusal:
            self.counters.exceptions += 1
            return exception_pdu(pdu[0], refusal)
        try:
            response = endpoint.answer(_Bank(unit, self.images, self._handler), pdu)
        except Exception:
            self._report_failure(unit, pdu)
            response = exception_pdu(pdu[0], _DEVICE_FAILURE)
        self.counters.exceptions += response[0] >> 7
        return response

    def is_absent(self, unit_id: int) -> bool:
        """Whether nobody here answers for a unit."""
        return self._find(unit_id) is None

    def delay_s(self, unit_id: int) -> float:
        """By how much the answer of a unit to this request is to be late."""
        unit = None if self.trouble is None else self._find(unit_id)
        return 0.0 if unit is None or self.trouble is None else self.trouble.delay_s(unit.path)

    def _find(self, unit_id: int) -> Unit | None:
        """Who answers, looked up once for each version of the site: a bus is searched module by module."""
        version = self.images.site.version
        if version != self._found_version:
            self._found.clear()
            self._found_version = version
        if unit_id not in self._found:
            self._found[unit_id] = self._directory.find(unit_id)
        return self._found[unit_id]

    def target_failed(self, function: int) -> bytes:
        """What a gateway answers for a unit that does not: exception 0x0B.

        Source: advisory CVE-2025-54849 on the DIRIS Digiware M-70 ("target failed to respond").
        """
        self.counters.exceptions += 1
        return exception_pdu(function, _TARGET_FAILED)

    def _report_failure(self, unit: Unit, pdu: bytes) -> None:
        """A device or the write handler raised: our mistake. The client sees exception 4, the log more."""
        import structlog  # costs as much as half the package to import, and a good day never needs it

        self.counters.failures += 1
        log = structlog.get_logger("virtual_digiware.buses.modbus")
        log.exception("a request could not be answered", unit=unit.path, pdu=pdu.hex(" "))


def exception_pdu(function: int, code: int) -> bytes:
    """Response PDU with an exception code. Source: MODBUS Application Protocol V1.1b3, section 7."""
    return bytes((function | 0x80, code))


def refusal_of(product: Product, function: int, count: int | None) -> int:
    """Exception code for what a product's document excludes although Modbus allows it; 0: nothing.

    `count` is that of a whole read request. A function that the product lacks gives 1. More registers than
    `read_words_maximum`, or no multiple of `read_words_multiple`, give 3; the documents only say "an
    exception", so that code is a choice (V1.1b3, section 7: the quantity is the value in the request).
    """
    if function not in product.functions:
        return _ILLEGAL_FUNCTION
    if function in (3, 4) and count is not None:
        maximum = int(product.features.get("read_words_maximum", MAX_READ_WORDS))
        multiple = int(product.features.get("read_words_multiple", 1))
        if not 1 <= count <= maximum or count % multiple:
            return _ILLEGAL_VALUE
    return 0


class _Bank:
    """One unit as `endpoint` sees it."""

    __slots__ = ("_handler", "_images", "_unit")

    def __init__(self, unit: Unit, images: Images, handler: WriteHandler) -> None:
        self._unit = unit
        self._images = images
        self._handler = handler

    def read(self, function: int, address: int, count: int) -> bytes | None:
        return self._images.of(self._unit).read(address, count, function)

    def write(self, function: int, address: int, values: Sequence[int]) -> int:
        refusal = self._handler.write(self._unit, function, address, values)
        return 0 if refusal is None else refusal.exception_code

    def identification(self) -> Mapping[int, bytes]:
        return basic_and_regular_objects(self._unit)
