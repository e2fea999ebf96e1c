"""Which point SNMP shows under which service id: reading `bindings/snmp.yaml`, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args

from virtual_digiware.devices.block import Confidence
from virtual_digiware.devices.catalogue_section import Section, as_confidence, load

Syntax = Literal["Integer32", "Gauge32", "Counter32", "Counter64"]
Oid = tuple[int, ...]

_FILE = Path(__file__).parent / "bindings" / "snmp.yaml"
_NONE = "-"
_ENTRY = 1
_KEYS = frozenset({"enterprise", "branch", "source", "tables", "objects", "alarms_active", "notifications"})
_TABLE_KEYS = frozenset({"oid", "confidence", "note", "rows"})
_OBJECT_KEYS = frozenset({"oid", "index", "label", "rows"})
_ACCESS = ("read-only", "read-write", "not-accessible")


@dataclass(frozen=True, slots=True)
class Service:
    """One measurement of an SNMP table: value on the wire = engineering value / `scale`, in `unit`.

    `load_table` is where the value of a load comes from, `unit_table` the one of a module itself; None when
    there is no such value. A Counter64 adds the point's whole kilo-units and its residual.
    """

    number: int
    name: str
    syntax: Syntax
    scale: float
    unit: str
    point: str
    load_table: str | None
    unit_table: str | None
    label: str
    confidence: Confidence

    @property
    def is_dc(self) -> bool:
        """Whether only direct-current modules have rows of it."""
        return (self.load_table or self.unit_table or "").startswith("dc.")


@dataclass(frozen=True, slots=True)
class ServiceTable:
    """One measurement table; its services by ascending number."""

    name: str
    oid: Oid
    services: tuple[Service, ...]
    confidence: Confidence

    def column(self, service: Service) -> Oid:
        """Object identifier of a service's column: the entry is always 1 (manual 548751C p. 46)."""
        return (*self.oid, _ENTRY, service.number)


@dataclass(frozen=True, slots=True)
class ObjectColumn:
    """One column of a table that holds no measurements. `syntax` as in a MIB, without blanks."""

    number: int
    name: str
    syntax: str
    access: str
    label: str


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """A table that holds no measurements; `index` names columns, of this table or of others."""

    name: str
    oid: Oid
    index: tuple[str, ...]
    columns: Mapping[str, ObjectColumn]
    label: str

    def column(self, name: str) -> Oid:
        """Object identifier of a column: the entry is always 1. Raises KeyError."""
        return (*self.oid, _ENTRY, self.columns[name].number)


@dataclass(frozen=True, slots=True)
class Notifications:
    """Traps and informs: the identifiers of both and the objects that they carry."""

    alarm_on: Oid
    alarm_off: Oid
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SnmpBinding:
    """Everything that `bindings/snmp.yaml` says."""

    enterprise: Oid
    branch: Oid
    tables: Mapping[str, ServiceTable]
    objects: Mapping[str, ObjectTable]
    alarms_active: Oid
    notifications: Notifications


@cache
def snmp_binding() -> SnmpBinding:
    """The binding as shipped. Raises `CatalogueError` for a file that cannot be right."""
    section = load(_FILE, _KEYS)
    section.text("source")
    return SnmpBinding(
        enterprise=_oid(section, "enterprise"),
        branch=_oid(section, "branch"),
        tables={name: _table(name, part) for name, part in _parts(section, "tables", _TABLE_KEYS)},
        objects={name: _objects(name, part) for name, part in _parts(section, "objects", _OBJECT_KEYS)},
        alarms_active=_oid(section, "alarms_active"),
        notifications=_notifications(section),
    )


def _parts(section: Section, key: str, keys: frozenset[str]) -> Iterator[tuple[str, Section]]:
    whole = Section(section.file, section.mapping(key), f"{key}.")
    for name in whole.values:
        part = whole.section(name, keys)
        if part is not None:
            yield name, part


def _notifications(section: Section) -> Notifications:
    part = section.section("notifications", frozenset({"group", "alarm_on", "alarm_off", "objects"}))
    if part is None:
        raise section.error("notifications", "nothing", "the traps")
    group = _oid(part, "group")
    return Notifications(
        alarm_on=(*group, part.integer("alarm_on", 1, 65535)),
        alarm_off=(*group, part.integer("alarm_off", 1, 65535)),
        objects=part.texts("objects"),
    )


def _objects(name: str, part: Section) -> ObjectTable:
    columns = {}
    for number, line in enumerate(part.text("rows").splitlines(), 1):
        head, _, label = line.partition("|")
        cells = head.split()
        if len(cells) != 4 or cells[3] not in _ACCESS:
            raise part.error(f"rows, line {number}", repr(line), "number, name, syntax, access | what it is")
        columns[cells[1]] = ObjectColumn(int(cells[0]), cells[1], cells[2], cells[3], label.strip())
    return ObjectTable(name, _oid(part, "oid"), part.texts("index"), columns, part.text("label"))


def _table(name: str, part: Section) -> ServiceTable:
    services = tuple(
        _service(part, f"rows, line {number}", line)
        for number, line in enumerate(part.text("rows").splitlines(), 1)
    )
    numbers = [service.number for service in services]
    if numbers != sorted(set(numbers)):
        raise part.error("rows", "service ids out of order or twice", "ascending service ids")
    return ServiceTable(name, _oid(part, "oid"), services, part.confidence("confidence"))


def _service(part: Section, key: str, line: str) -> Service:
    head, *texts = (cell.strip() for cell in line.split("|"))
    cells = head.split()
    if len(cells) != 8 or len(texts) != 2:
        raise part.error(key, repr(line), "8 words | what it is | confidence")
    number, name, syntax, scale, unit, point, load_table, unit_table = cells
    if syntax not in get_args(Syntax):
        raise part.error(key, syntax, "one of " + ", ".join(get_args(Syntax)))
    return Service(
        number=int(number),
        name=name,
        syntax=cast(Syntax, syntax),
        scale=float(scale),
        unit="" if unit == _NONE else unit,
        point=point,
        load_table=None if load_table == _NONE else load_table,
        unit_table=None if unit_table == _NONE else unit_table,
        label=texts[0],
        confidence=as_confidence(part, key, texts[1]),
    )


def _oid(part: Section, key: str) -> Oid:
    text = part.text(key)
    try:
        return tuple(int(number) for number in text.split("."))
    except ValueError:
        raise part.error(key, text, "numbers with dots between them") from None
