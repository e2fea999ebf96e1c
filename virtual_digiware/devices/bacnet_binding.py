"""The measurement list that BACnet shows, from `bindings/bacnet.yaml`: numbers and names only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from virtual_digiware.devices.block import Confidence, Product
from virtual_digiware.devices.catalogue_section import Section, as_confidence, load

Form = Literal["real", "date", "hours"]
"""How a property shows its point: as it is, as date and time, seconds in hours."""

PRESENT_VALUE = "Present_Value"
HARMONIC_ORDERS = range(2, 11)

_FILE = Path(__file__).parent / "bindings" / "bacnet.yaml"
_KEYS = frozenset(
    {"source", "vendor", "gateway_versions", "device", "proprietary", "kinds", "shapes", "measurements"}
)


class Shown(NamedTuple):
    """Where one property of one measurement comes from; without a table it is 0."""

    form: Form
    table: str
    point: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What measurements belong to: circuits of a unit, the network, inputs of an IO module."""

    name: str
    family: str
    count: str
    tables: Mapping[str, str]


@dataclass(frozen=True)
class Measurement:
    """One row of the measurement list; `index` is MM of the object's instance LLMM."""

    index: int
    name: str
    unit: str
    description: str
    point: str
    shown: Mapping[str, Mapping[str, Shown]]
    """By kind: what each property shows, by its name."""
    confidence: Confidence


@dataclass(frozen=True)
class Binding:
    """Everything that the file says."""

    vendor_name: str
    vendor_identifier: int
    firmware: str
    application_software: str
    device: Mapping[str, int]
    device_properties: Mapping[str, int]
    analog_properties: Mapping[str, int]
    kinds: Mapping[str, Kind]
    measurements: Mapping[int, Measurement]
    points: Mapping[str, tuple[str, ...]]
    """All points that are shown of a table."""

    def slots(self, product: Product, circuits: int) -> Mapping[str, int]:
        """How many of each kind a unit has: circuits, inputs and so on; kinds that it lacks are left out."""
        counts = {
            kind.name: _count(kind, product, circuits)
            for kind in self.kinds.values()
            if kind.family == product.family
        }
        return {name: count for name, count in counts.items() if count}


def _count(kind: Kind, product: Product, circuits: int) -> int:
    if kind.count == "circuits":
        return circuits
    return 1 if kind.count == "one" else int(product.features.get(kind.count, 0))


@cache
def binding() -> Binding:
    """The binding that the package ships. Raises CatalogueError when its file is wrong."""
    file = load(_FILE, _KEYS)
    vendor = _section(file, "vendor", "name", "identifier")
    versions = _section(file, "gateway_versions", "firmware", "application_software")
    proprietary = file.mapping("proprietary")
    kinds = {name: _kind(file, name) for name in file.mapping("kinds")}
    measurements = {row.index: row for row in _measurements(file, kinds)}
    points: dict[str, dict[str, None]] = {}
    for row in measurements.values():
        for properties in row.shown.values():
            for shown in properties.values():
                points.setdefault(shown.table, {})[shown.point] = None
    return Binding(
        vendor_name=vendor.text("name"),
        vendor_identifier=vendor.integer("identifier", 0, 65535),
        firmware=versions.text("firmware"),
        application_software=versions.text("application_software"),
        device=_numbers(file, "device", file.mapping("device")),
        device_properties=_numbers(file, "proprietary.device", proprietary.get("device")),
        analog_properties=_numbers(file, "proprietary.analog_input", proprietary.get("analog_input")),
        kinds=kinds,
        measurements=measurements,
        points={table: tuple(names) for table, names in points.items()},
    )


def _section(file: Section, key: str, *keys: str) -> Section:
    section = file.section(key, frozenset(keys))
    if section is None:
        raise file.error(key, "nothing", "a mapping with " + " and ".join(keys))
    return section


def _numbers(file: Section, key: str, values: object) -> Mapping[str, int]:
    if not isinstance(values, dict) or not all(isinstance(number, int) for number in values.values()):
        raise file.error(key, repr(values), "a mapping of names to whole numbers")
    return {str(name): int(number) for name, number in values.items()}


def _kind(file: Section, name: str) -> Kind:
    section = Section(file.file, cast(Mapping[str, object], file.mapping("kinds")[name]), f"kinds.{name}.")
    section.refuse_unknown(frozenset({"family", "count", "tables"}))
    tables = {key: str(table) for key, table in section.mapping("tables").items()}
    return Kind(name, section.text("family"), section.text("count"), tables)


def _measurements(file: Section, kinds: Mapping[str, Kind]) -> Iterator[Measurement]:
    shapes = file.mapping("shapes")
    for number, line in enumerate(file.text("measurements").splitlines(), 1):
        where = f"measurements, line {number}"
        columns, description, confidence = (part.strip() for part in line.split("|"))
        index, name, unit, shape_names, table, point, kind_names = columns.split()
        patterns = {PRESENT_VALUE: f"real {table} {point}"}
        for shape in shape_names.split(","):
            properties = shapes.get(shape)
            if not isinstance(properties, dict):
                raise file.error(where, shape, "shapes of this file: " + ", ".join(shapes))
            patterns.update(properties)
        for kind in kind_names.split(","):
            if kind not in kinds:
                raise file.error(where, kind, "kinds of this file: " + ", ".join(kinds))
        yield Measurement(
            index=int(index),
            name=name,
            unit=unit,
            description=description,
            point=point,
            shown={
                kind: dict(_shown(file, where, patterns, point, kinds[kind]))
                for kind in kind_names.split(",")
            },
            confidence=as_confidence(file, where, confidence),
        )


def _shown(
    file: Section, where: str, patterns: Mapping[str, str], point: str, kind: Kind
) -> Iterator[tuple[str, Shown]]:
    for name, pattern in patterns.items():
        form, table, shown_point = pattern.format(point=point, rest=point.removeprefix("thd_")).split()
        if form not in get_args(Form):
            raise file.error(where, form, "one of " + ", ".join(get_args(Form)))
        found = kind.tables.get(table, "")
        if "*" not in name:
            yield name, Shown(cast(Form, form), found, shown_point)
            continue
        for order in HARMONIC_ORDERS:
            yield (
                name.replace("*", f"{order:02}"),
                Shown(cast(Form, form), found, shown_point.replace("*", str(order))),
            )
