"""A product made of a user's own list of registers: the meter `generic` of a site file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from virtual_digiware.devices.block import Block, PlacedBlock, Product, Row
from virtual_digiware.devices.encodings import ENCODINGS
from virtual_digiware.devices.meter_values import unit_of

GENERIC = "generic"
_KINDS = {(3, 4): "registers", (3,): "holding_registers", (4,): "input_registers"}


@dataclass(frozen=True, slots=True)
class ListedRegister:
    """One register of the list. `address` is that on the wire; engineering value = register x `scale`.

    `functions` are those that read it, of 3 (holding) and 4 (input).
    """

    point: str
    address: int
    encoding: str
    scale: float
    functions: tuple[int, ...]

    @property
    def words(self) -> int:
        return ENCODINGS[self.encoding].words or 1

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.address + self.words


def listed_product(meter: str, registers: Sequence[ListedRegister]) -> Product:
    """The product of one meter. Registers that adjoin and have the same functions become one block.

    They must not overlap; the site file's checks see to that.
    """
    runs: list[list[ListedRegister]] = []
    for register in sorted(registers, key=lambda one: (one.functions, one.address)):
        last = runs[-1][-1] if runs else None
        if last is not None and last.functions == register.functions and last.end == register.address:
            runs[-1].append(register)
        else:
            runs.append([register])
    placed = [_placed(run) for run in runs]
    functions = {function for register in registers for function in register.functions}
    return Product(
        name=GENERIC,
        family="meter",
        inputs=4,
        blocks=tuple(sorted(placed, key=lambda one: one.base)),
        source=f"the register list of {meter} in the site file",
        confidence="extension",
        functions=tuple(sorted(functions)),
        label="meter with a register list of the user's own",
    )


def _placed(run: Sequence[ListedRegister]) -> PlacedBlock:
    base = run[0].address
    kind = _KINDS[run[0].functions]
    block = Block(
        name=f"{kind}_{base}",
        label=f"{kind.replace('_', ' ')} from {base}",
        table="meter.measured",
        base=base,
        words=run[-1].end - base,
        access="read",
        rows=tuple(
            Row(
                point=register.point,
                offset=register.address - base,
                encoding=register.encoding,
                words=register.words,
                scale=register.scale,
                unit=unit_of(register.point),
                label=register.point.replace("_", " "),
            )
            for register in run
        ),
        confidence="extension",
        source="the site file",
        read_functions=run[0].functions,
    )
    return PlacedBlock(block, 0, base)
