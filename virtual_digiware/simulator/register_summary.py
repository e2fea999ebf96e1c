"""How sure the registers of each product are: one line a product."""

from __future__ import annotations

from collections import Counter

from virtual_digiware.devices.catalogue import products
from virtual_digiware.devices.register_table import register_table
from virtual_digiware.devices.vocabulary import CONFIDENCES


def register_summary() -> str:
    """A Markdown table: how many register rows of each product have which confidence, reserved rows apart."""
    header = ("product", "is", *CONFIDENCES)
    lines = [header, ("---",) * 2 + ("---:",) * len(CONFIDENCES)]
    for name, product in products().items():
        counts: Counter[str] = Counter(row.confidence for row in register_table(product))
        lines.append((name, product.label, *(str(counts[word]) for word in CONFIDENCES)))
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
