"""The short path for PDUs: GET, GETNEXT and GETBULK answered from encoded variable bindings.

What it cannot answer (an object that does not exist, a SET, an unusual encoding, an answer too long) it
leaves to pysnmp by raising `NotPlain`; where both can answer, their bytes are the same, and a property
test says so. Replies are kept under the request's own bytes until the tree's version changes: a repeated
poll costs a look-up. Source: RFC 1157, section 4.1; RFC 3416, sections 4.2.1 to 4.2.3.
"""

from __future__ import annotations

from virtual_digiware.buses.snmp.ber import (
    COUNTER64,
    END_OF_MIB_VIEW,
    GET,
    GET_BULK,
    GET_NEXT,
    INTEGER,
    LENGTHS,
    OBJECT_IDENTIFIER,
    RESPONSE,
    SEQUENCE,
    NotPlain,
    read_integer,
    read_oid,
    read_tlv,
    tlv,
)
from virtual_digiware.buses.snmp.settings import MAX_VARBIND_BYTES
from virtual_digiware.buses.snmp.tree import OidTree, Place

_NO_ERROR = b"\x02\x01\x00\x02\x01\x00"
_NULL = b"\x05\x00"
_RESPONSE_TAG = bytes((RESPONSE,))
_MAX_KEPT = 4096


class ShortAnswers:
    """Response PDUs to plain requests. `is_v1` of a request matters: v1 knows no Counter64 and no
    exceptions."""

    def __init__(self, tree: OidTree) -> None:
        self._tree = tree
        self._kept: dict[tuple[int, bool, bytes], bytes] = {}
        self._kept_version: int | None = tree.version

    def refresh(self) -> None:
        """Look whether something else is shown by now."""
        if self._tree.refresh() or self._kept_version != self._tree.version:
            self._kept.clear()
            self._kept_version = self._tree.version

    def response(self, pdu: bytes, is_v1: bool, budget: int = MAX_VARBIND_BYTES) -> bytes:
        """The response PDU to a request PDU.

        Args:
            pdu: From its tag to its end.
            budget: Bytes that the variable bindings may take.

        Raises:
            NotPlain: Only pysnmp can tell what is right.
        """
        kind = pdu[0]
        if kind != GET and kind != GET_NEXT and (kind != GET_BULK or is_v1):
            raise NotPlain
        begin, end = read_tlv(pdu, 0, kind)
        if end != len(pdu) or pdu[begin] != INTEGER:
            raise NotPlain
        rest_at = begin + 2 + pdu[begin + 1]
        request_id = pdu[begin:rest_at]
        read_integer(request_id[2:])
        rest = pdu[rest_at:]
        body = self._kept.get((kind, is_v1, rest)) if budget >= MAX_VARBIND_BYTES else None
        if body is None:
            body = self._answer(kind, is_v1, rest, budget)
        size = len(request_id) + len(body)
        return _RESPONSE_TAG + LENGTHS[size] + request_id + body

    def _answer(self, kind: int, is_v1: bool, rest: bytes, budget: int) -> bytes:
        """Everything of the response behind the request id."""
        first, second, at = _two_integers(rest)
        names = _names(rest, at)
        if kind == GET_BULK:
            cells, is_volatile = self._bulk(names, first, second, budget)
        else:
            if first or second:
                raise NotPlain
            cells, is_volatile = self._plain(names, kind == GET_NEXT, is_v1)
            if sum(map(len, cells)) > budget:
                raise NotPlain
        body = _NO_ERROR + tlv(SEQUENCE, b"".join(cells))
        if not is_volatile and budget == MAX_VARBIND_BYTES:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[kind, is_v1, rest] = body
        return body

    def _plain(self, names: list[bytes], is_next: bool, is_v1: bool) -> tuple[list[bytes], bool]:
        tree = self._tree
        cells = []
        is_volatile = False
        for name in names:
            place = self._after(name) if is_next else tree.place(name)
            if place is None:
                raise NotPlain
            if is_v1 and tree.value(place)[0] == COUNTER64:
                raise NotPlain
            cells.append(tree.cell(place))
            is_volatile = is_volatile or tree.is_volatile(place)
        return cells, is_volatile

    def _after(self, name: bytes) -> Place | None:
        place = self._tree.place(name)
        return self._tree.after(read_oid(name)) if place is None else self._tree.next(place)

    def _bulk(
        self, names: list[bytes], non_repeaters: int, repetitions: int, budget: int
    ) -> tuple[list[bytes], bool]:
        if non_repeaters < 0 or repetitions < 0:
            raise NotPlain
        once = min(non_repeaters, len(names))
        places: list[Place | None] = [self._after(name) for name in names]
        if len(names) == 1 and once == 0 and places[0] is not None and repetitions:
            return self._run(places[0], repetitions, budget)
        bindings = _Bindings(self._tree, names, places, budget)
        bindings.fill(once, repetitions)
        return bindings.cells, bindings.is_volatile

    def _run(self, first: Place, repetitions: int, budget: int) -> tuple[list[bytes], bool]:
        """GETBULK for one variable, by far the most frequent: a slice of a column."""
        tree = self._tree
        most = min(repetitions, budget // _SHORTEST_CELL + 1)
        cells = [tree.cell(first)]
        more, last, is_volatile = tree.run(first, most - 1)
        cells += more
        is_volatile = is_volatile or tree.is_volatile(first)
        if len(cells) < most:
            assert last is not None
            cells.append(tlv(SEQUENCE, tree.name(last) + END_OF_MIB_VIEW))
        size = 0
        for count, cell in enumerate(cells):
            size += len(cell)
            if size > budget:
                return cells[:count], is_volatile
        return cells, is_volatile


_SHORTEST_CELL = 10
"""Fewer bytes than any variable binding of the tree has, so that no slice is cut too early."""


class _Bindings:
    """Variable bindings of a GETBULK response, filled row by row as far as there is room."""

    def __init__(self, tree: OidTree, names: list[bytes], places: list[Place | None], budget: int) -> None:
        self.cells: list[bytes] = []
        self.is_volatile = False
        self._tree = tree
        self._left = budget
        self._names = [tlv(OBJECT_IDENTIFIER, name) for name in names]
        self._places = places

    def fill(self, once: int, repetitions: int) -> None:
        """Non-repeaters first, then the others again and again; a row of nothing but ends is the last."""
        for column in range(once):
            if not self._add(column):
                return
        repeated = range(once, len(self._names))
        for _ in range(repetitions):
            for column in repeated:
                if not self._add(column):
                    return
            if all(self._places[column] is None for column in repeated):
                return
            for column in repeated:
                place = self._places[column]
                if place is not None:
                    self._names[column] = self._tree.name(place)
                    self._places[column] = self._tree.next(place)

    def _add(self, column: int) -> bool:
        place = self._places[column]
        if place is None:
            cell = tlv(SEQUENCE, self._names[column] + END_OF_MIB_VIEW)
        else:
            cell = self._tree.cell(place)
            self.is_volatile = self.is_volatile or self._tree.is_volatile(place)
        self._left -= len(cell)
        if self._left < 0:
            return False
        self.cells.append(cell)
        return True


def _two_integers(rest: bytes) -> tuple[int, int, int]:
    """Error-status and error-index, or non-repeaters and max-repetitions, and where they end."""
    begin, middle = read_tlv(rest, 0, INTEGER)
    second, end = read_tlv(rest, middle, INTEGER)
    return read_integer(rest[begin:middle]), read_integer(rest[second:end]), end


def _names(rest: bytes, at: int) -> list[bytes]:
    """Content octets of the names of the variable bindings from `at` to the end, all with the value NULL."""
    at, end = read_tlv(rest, at, SEQUENCE)
    if end != len(rest):
        raise NotPlain
    names = []
    while at < end:
        begin, following = read_tlv(rest, at, SEQUENCE)
        name, name_end = read_tlv(rest, begin, OBJECT_IDENTIFIER)
        if rest[name_end:following] != _NULL:
            raise NotPlain
        names.append(rest[name:name_end])
        at = following
    return names
