"""What a unit says about itself in its identification block: texts, versions, Net ID."""

from __future__ import annotations

from collections.abc import Mapping

from virtual_digiware.buses.interfaces import RawValue, Unit

_TABLES = frozenset({"identification", "unit.identification"})
_MAX_OBJECT_BYTES = 32  # so that all objects fit one response, which carries 253 bytes


def identification(unit: Unit) -> Mapping[str, RawValue]:
    """Rows of the unit's identification block (50000 and up) by point name; empty without such a block.

    Source: MODBUS tables of DIRIS Digiware, product identification, 69 words.
    """
    for placed in unit.product.blocks:
        if placed.block.table in _TABLES:
            values = unit.read(placed)
            return {
                row.point: value
                for row, value in zip(placed.block.rows, values, strict=True)
                if not row.reserved
            }
    return {}


def net_id(unit: Unit) -> int | None:
    """The Net ID of a module (registers 50067-50068), None when the product shows none."""
    value = identification(unit).get("net_id")
    return value if isinstance(value, int) else None


def basic_and_regular_objects(unit: Unit) -> Mapping[int, bytes]:
    """Objects of Modbus function 43/14 by object id, cut from the identification block.

    0 vendor, 1 product code, 2 revision, 4 product name, 5 model name, 6 the unit's name on the site;
    3, the vendor's URL, is left out: the unit is not the vendor's. Whether the real modules answer 43/14 is
    not published. Source of the ids: MODBUS Application Protocol V1.1b3, section 6.21.
    """
    rows = identification(unit)
    product = unit.product.name
    texts = {
        0: str(rows.get("vendor_name") or "SOCOMEC"),
        1: product,
        2: _revision(rows),
        4: str(rows.get("product_name") or product),
        5: str(rows.get("extended_name") or product),
        6: unit.name,
    }
    return {number: text.encode("utf-8")[:_MAX_OBJECT_BYTES] for number, text in texts.items()}


def _revision(rows: Mapping[str, RawValue]) -> str:
    """`major.minor.revision` where the unit has them, else the software version, kept as 100 for 1.00."""
    parts = [rows.get(name) for name in ("version_major", "version_minor", "version_revision")]
    if any(parts):
        return ".".join(str(part or 0) for part in parts)
    software = rows.get("software_version")
    return f"{software / 100:.2f}" if isinstance(software, int) else "0.00"
