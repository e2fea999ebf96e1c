"""Small stand-ins for what the buses ask of the devices: a unit of a few blocks, a site, a write handler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from virtual_digiware.buses.interfaces import RawValue, Unit
from virtual_digiware.devices.block import Block, PlacedBlock, Product, Repeat, Row
from virtual_digiware.devices.points import FloatArray
from virtual_digiware.devices.records import Refusal


class FakeSite:
    """A site whose version the test moves by hand."""

    def __init__(self) -> None:
        self.version = 1


@dataclass
class FakeUnit:
    path: str
    product: Product
    address: int | None
    circuits: tuple[str, ...] = ("lighting",)
    is_present: bool = True
    values: dict[str, float] = field(default_factory=dict)
    texts: dict[str, RawValue] = field(default_factory=dict)
    reads: int = 0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def is_raw(self, block: Block) -> bool:
        return block.table in ("settings", "unit.identification")

    def read(self, placed: PlacedBlock) -> FloatArray | Sequence[RawValue]:
        self.reads += 1
        if self.is_raw(placed.block):
            return tuple(self.texts.get(row.point, 0) for row in placed.block.rows)
        return np.array([self.values.get(row.point, np.nan) + placed.slot for row in placed.block.rows])


@dataclass
class FakeHandler:
    """Accepts writes and remembers them; refuses or raises what the test puts in."""

    refusal: Refusal | None = None
    error: Exception | None = None
    site: FakeSite | None = None
    writes: list[tuple[str, int, int, tuple[int, ...]]] = field(default_factory=list)

    def write(self, unit: Unit, function: int, address: int, values: Sequence[int]) -> Refusal | None:
        if self.error is not None:
            raise self.error
        if self.refusal is not None:
            return self.refusal
        self.writes.append((unit.path, function, address, tuple(values)))
        if self.site is not None:
            self.site.version += 1
        return None


def row(
    point: str, offset: int, encoding: str, words: int, scale: float = 1.0, reserved: bool = False
) -> Row:
    return Row(point, offset, encoding, words, scale, reserved=reserved)


def block(
    name: str,
    base: int,
    words: int,
    rows: Sequence[Row],
    table: str = "circuit.instantaneous",
    per: str = "",
    **more: object,
) -> Block:
    repeat = Repeat(per, 2048, 6) if per else None
    access = "write" if table == "command" else "read"
    return Block(name, name, table, base, words, access, tuple(rows), "extension", "a test", repeat, **more)  # type: ignore[arg-type]


def product(name: str, *blocks: Block, family: str = "current") -> Product:
    """A product with each repeated block placed for as many slots as it has."""
    placed = [
        PlacedBlock(one, slot, one.base + slot * (one.repeat.stride if one.repeat else 0))
        for one in blocks
        for slot in range(one.repeat.count if one.repeat else 1)
    ]
    placed.sort(key=lambda one: one.base)
    return Product(name, family, 6, tuple(placed), "a test", "extension")  # type: ignore[arg-type]


INSTANTANEOUS = block(
    "load_instantaneous",
    18432,
    100,
    [row(f"value_{n}", 2 * n, "U32" if n % 2 else "S32", 2, 0.01) for n in range(46)],
    per="circuit",
)
IDENTIFICATION = block(
    "product_identification",
    50000,
    69,
    [
        row("magic", 0, "STRING_16", 4),
        row("product_id", 5, "U16", 1),
        row("software_version", 7, "U16", 1),
        row("vendor_name", 42, "STRING_NORM", 8),
        row("product_name", 50, "STRING_NORM", 8),
        row("extended_name", 58, "STRING_NORM", 8),
        row("net_id", 67, "U32_HEX", 2),
    ],
    table="unit.identification",
)
NEXT_DOOR = block(
    "next_door", 50069, 3, [row("first", 0, "U16", 1), row("last", 2, "U16", 1)], table="settings"
)
COMMAND = block("unlock", 58112, 1, [row("unlock_code", 0, "U16", 1)], table="command")

CURRENT_MODULE = product("I-30", INSTANTANEOUS, IDENTIFICATION, NEXT_DOOR, COMMAND)
VOLTAGE_MODULE = product("U-30", IDENTIFICATION, family="voltage")
GATEWAY = product("M-70", IDENTIFICATION, COMMAND, family="gateway")


def current_module(path: str = "M-70/I-30", address: int | None = 4, **more: object) -> FakeUnit:
    unit = FakeUnit(path, CURRENT_MODULE, address, **more)  # type: ignore[arg-type]
    unit.values = {f"value_{n}": 10.0 * n + 0.25 for n in range(46)}
    unit.texts = {
        "magic": "SOCO",
        "product_id": 512,
        "software_version": 134,
        "vendor_name": "SOCOMEC",
        "product_name": "I-30",
        "extended_name": "DIRIS I-30",
        "net_id": 0x00C0FFEE,
        "first": 11,
        "last": 13,
    }
    return unit


def voltage_module(path: str = "M-70/U-30", address: int | None = 3, **more: object) -> FakeUnit:
    return FakeUnit(path, VOLTAGE_MODULE, address, **more)  # type: ignore[arg-type]


def gateway(path: str = "M-70", address: int | None = 1, **more: object) -> FakeUnit:
    return FakeUnit(path, GATEWAY, address, **more)  # type: ignore[arg-type]
