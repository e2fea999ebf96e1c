"""Scale registers: powers of ten that a meter shows beside its values, chosen by the rating of its circuit.

Source: SunSpec model definitions: integer points are multiplied by 10 to the power of their scale factor.
"""

from __future__ import annotations

import math
from dataclasses import replace

from virtual_digiware.devices.block import Block, Product

FULL_SCALE_SHARE = 1.5
"""A scale factor leaves room for this much of the rating: a choice."""
_LARGEST = 32767
_FINEST = -2


def with_scale_factors(product: Product, nominal_a: float, nominal_v: float) -> Product:
    """The product as a meter of this rating has it: every row with its scale, every scale register filled.

    `nominal_v` is that between phase and neutral. A product without scale registers stays as it is.
    """
    power = 3 * nominal_a * nominal_v
    full_scale = {"A": 3 * nominal_a, "V": 3**0.5 * nominal_v, "W": power, "var": power, "VA": power}
    blocks = tuple(
        replace(placed, block=_filled(placed.block, full_scale))
        if any(row.scale_point for row in placed.block.rows)
        else placed
        for placed in product.blocks
    )
    return replace(product, blocks=blocks) if blocks != product.blocks else product


def _filled(block: Block, full_scale: dict[str, float]) -> Block:
    exponents = {row.scale_point: exponent(full_scale[row.unit]) for row in block.rows if row.scale_point}
    rows = tuple(
        replace(row, scale=10.0 ** exponents[row.scale_point])
        if row.scale_point
        else replace(row, initial=exponents.get(row.point, row.initial))
        for row in block.rows
    )
    return replace(block, rows=rows)


def exponent(full_scale: float) -> int:
    """The finest power of ten by which a signed 16-bit register may count and still hold the full scale."""
    return max(_FINEST, math.ceil(math.log10(FULL_SCALE_SHARE * full_scale / _LARGEST)))
