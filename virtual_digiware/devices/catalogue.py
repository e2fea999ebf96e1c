"""The catalogue of products: one YAML file a product, one a register block, checked when first asked for.

A site pays only for the products that it uses. Nothing here knows an address; the files do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import cast

from virtual_digiware.devices.block import Block, PlacedBlock, Product, Row
from virtual_digiware.devices.block_file import BlockFile, read_block_file, why_not
from virtual_digiware.devices.catalogue_section import CatalogueError, Section, load
from virtual_digiware.devices.vocabulary import FAMILIES, SLOT_KINDS

__all__ = ["Catalogue", "CatalogueError", "ProductUnknown", "product", "products"]

_HERE = Path(__file__).parent
_KEYS = frozenset(
    {"product", "label", "family", "inputs", "confidence", "source", "note", "slots", "blocks"}
    | {"reserved_points", "read_only", "initial", "identity", "features", "functions"}
)


class ProductUnknown(KeyError):
    """A site names a product that the catalogue does not have."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        return f"no product {self.name!r}; known are " + ", ".join(self.known)


class Catalogue(Mapping[str, Product]):
    """Products by name. Iterating gives the names without loading anything."""

    def __init__(self, directory: Path) -> None:
        self._blocks = directory / "blocks"
        self._products = directory / "products"
        self._names = tuple(sorted(path.stem for path in self._products.glob("*.yaml")))
        self._block_names = tuple(sorted(path.stem for path in self._blocks.glob("*.yaml")))
        self._loaded: dict[str, Product] = {}
        self._block_files: dict[str, BlockFile] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> Product:
        """The product of that name.

        Raises:
            ProductUnknown: The catalogue has no such file.
            CatalogueError: The file, or a block that it places, cannot be right.
        """
        if name not in self._loaded:
            if name not in self._names:
                raise ProductUnknown(name, self._names)
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def block_names(self) -> tuple[str, ...]:
        """Names of all block files, whether a product uses them or not."""
        return self._block_names

    def block(self, name: str) -> Block:
        """A block as its file gives it, with the best evidence of any product."""
        return self._block_file(name).block

    def _block_file(self, name: str) -> BlockFile:
        if name not in self._block_files:
            self._block_files[name] = read_block_file(self._blocks / f"{name}.yaml")
        return self._block_files[name]

    def _load(self, name: str) -> Product:
        section = load(self._products / f"{name}.yaml", _KEYS)
        if section.text("product") != name:
            raise section.error("product", section.text("product"), f"the name of the file, {name}")
        family = section.choice("family", FAMILIES)
        return Product(
            name=name,
            label=section.text("label"),
            family=family,  # type: ignore[arg-type]  # choice() has just checked it
            inputs=section.integer("inputs", 0, 64),
            blocks=self._placed(section, name),
            source=section.text("source"),
            confidence=section.confidence("confidence"),
            note=section.text("note", ""),
            identity=_identity(section),
            features=_features(section),
            functions=section.integers("functions"),
        )

    def _placed(self, section: Section, name: str) -> tuple[PlacedBlock, ...]:
        """Every slot of every block, by address; overlaps are refused."""
        names = _block_names(section)
        slots = _slots(section)
        reserved = section.mapping("reserved_points")
        initial = section.mapping("initial")
        read_only = section.texts("read_only")
        for key, given in (("reserved_points", reserved), ("initial", initial), ("read_only", read_only)):
            for block_name in given:
                if block_name not in names:
                    raise section.error(
                        f"{key}.{block_name}", "a block that is not listed", "a block of this product"
                    )
        placed: list[PlacedBlock] = []
        for block_name in names:
            if block_name not in self._block_names:
                raise section.error("blocks", block_name, "one of " + ", ".join(self.block_names()))
            file = self._block_file(block_name)
            points = _names(section, "reserved_points", reserved.get(block_name, []))
            values = _values(section, f"initial.{block_name}", initial.get(block_name, {}))
            rows = {row.point: row for row in file.block.rows}
            _check_points(section, f"reserved_points.{block_name}", points, rows)
            _check_values(section, f"initial.{block_name}", values, rows)
            if file.block.table == "unit.identification":
                _check_values(section, "identity", _identity(section), rows)
            block = file.for_product(name, points, values, block_name in read_only)
            placed.extend(_slots_of(block, slots))
        placed.sort(key=lambda one: one.base)
        for one, following in _overlaps(placed):
            found = f"{following.block.name} at {following.base}"
            raise section.error(
                "blocks", found, f"no overlap with {one.block.name}, which ends at {one.end - 1}"
            )
        return tuple(placed)


def _overlaps(placed: Sequence[PlacedBlock]) -> Iterator[tuple[PlacedBlock, PlacedBlock]]:
    """Blocks, sorted by base, that claim one register for one and the same function."""
    for function in (3, 4):
        space = [one for one in placed if function in one.block.read_functions]
        yield from ((one, following) for one, following in pairwise(space) if one.end > following.base)


def _check_points(section: Section, key: str, points: Iterable[str], rows: Mapping[str, Row]) -> None:
    for point in points:
        if point not in rows:
            raise section.error(key, point, "points of that block")


def _check_values(
    section: Section, key: str, values: Mapping[str, int | str], rows: Mapping[str, Row]
) -> None:
    _check_points(section, key, values, rows)
    for point, value in values.items():
        wrong = why_not(rows[point], value)
        if wrong is not None:
            raise section.error(f"{key}.{point}", repr(value), wrong)


def _slots_of(block: Block, slots: Mapping[str, int]) -> list[PlacedBlock]:
    if block.repeat is None:
        return [PlacedBlock(block, 0, block.base)]
    count = min(block.repeat.count, slots.get(block.repeat.per, block.repeat.count))
    return [PlacedBlock(block, slot, block.base + slot * block.repeat.stride) for slot in range(count)]


def _block_names(section: Section) -> tuple[str, ...]:
    """The groups under `blocks` are for the reader; their order means nothing."""
    groups = section.mapping("blocks")
    found: list[str] = []
    for group, listed in groups.items():
        found.extend(_names(section, f"blocks.{group}", listed))
    for name in found:
        if found.count(name) > 1:
            raise section.error("blocks", f"{name} twice", "each block once")
    return tuple(found)


def _slots(section: Section) -> dict[str, int]:
    found = _values(section, "slots", section.mapping("slots"))
    for kind, count in found.items():
        if kind not in SLOT_KINDS:
            raise section.error(f"slots.{kind}", kind, "one of " + ", ".join(sorted(SLOT_KINDS)))
        if not isinstance(count, int) or count < 0:
            raise section.error(f"slots.{kind}", repr(count), "a whole number, 0 or more")
    return cast("dict[str, int]", found)


def _names(section: Section, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise section.error(key, repr(value), "a list of names")
    return tuple(value)


def _values(section: Section, key: str, value: object) -> dict[str, int | str]:
    if not isinstance(value, dict) or not all(isinstance(item, int | str) for item in value.values()):
        raise section.error(key, repr(value), "a mapping of names to values")
    return {str(name): item for name, item in value.items()}


def _identity(section: Section) -> dict[str, int | str]:
    return _values(section, "identity", section.mapping("identity"))


def _features(section: Section) -> dict[str, int | float | str | bool]:
    found: dict[str, int | float | str | bool] = {}
    for name, value in section.mapping("features").items():
        if not isinstance(value, int | float | str):
            raise section.error(f"features.{name}", repr(value), "a number, a word, true or false")
        found[name] = value
    return found


@cache
def products() -> Catalogue:
    """The catalogue that ships with the package; products load when first looked up."""
    return Catalogue(_HERE)


def product(name: str) -> Product:
    """One product of the shipped catalogue.

    Raises:
        ProductUnknown: No such product; the error lists the known ones.
    """
    return products()[name]
