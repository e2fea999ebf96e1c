"""Units in which a supervisor may store what a register holds: kilo and mega of the point's own."""

from __future__ import annotations

PREFIXES = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
BASES = ("Wh", "varh", "VAh", "W", "var", "VA", "V", "A", "Hz")


class UnitUnknown(ValueError):
    """A value is given in a unit in which the point cannot be stored; the message says in which it can."""


def factor(stored: str, own: str) -> float:
    """By what a number in the unit `stored` is multiplied to be one in the unit `own`. Raises UnitUnknown."""
    if stored == own:
        return 1.0
    base = next((base for base in BASES if own.removesuffix(base) in PREFIXES and own.endswith(base)), None)
    known = {} if base is None else {prefix + base: size for prefix, size in PREFIXES.items()}
    if stored not in known:
        right = f"one of {', '.join(known)}" if known else repr(own)
        raise UnitUnknown(f"a value in {stored!r} of a point in {own!r}; right would be {right}")
    return known[stored] / known[own]
