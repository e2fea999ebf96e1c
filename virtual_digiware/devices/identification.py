"""What a unit says about itself: serial number, Net ID, names and versions, the same whenever it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from virtual_digiware.devices.block import Product

_WEEKS = 52


def identify(product: Product, seed: int, site: str, path: str) -> Mapping[str, int | str]:
    """Values of the identification rows by point name, register values and texts.

    Serial number and Net ID are hashed from (seed, site, path): the same unit of the same site always has
    the same ones. What the product's file gives goes first; unknown words read 0.

    Source: MODBUS tables of DIRIS Digiware, product identification (50000). That AA_SS means year and week
    is a reading, not printed.
    """
    digest = hashlib.blake2b(f"{seed}\0{site}\0{path}".encode(), digest_size=16).digest()
    year, week = 18 + digest[0] % 8, 1 + digest[1] % _WEEKS
    values: dict[str, int | str] = {
        "magic": "SOCO",
        "serial_aa_ss": _decimal_digits(year) << 8 | _decimal_digits(week),
        "serial_sst_l": _decimal_digits(1 + digest[2] % 99) << 8 | 1 + digest[3] % 9,
        "serial_order": int.from_bytes(digest[4:6]) % 9999 + 1,
        "net_id": int.from_bytes(digest[8:12]) | 1,
        "product_name": product.name,
    }
    return {**values, **product.identity}


def _decimal_digits(number: int) -> int:
    """Two decimal digits as two hexadecimal ones: 23 becomes 0x23."""
    return number // 10 << 4 | number % 10
