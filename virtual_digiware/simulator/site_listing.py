"""The shipped sites as a list: title and equipment, read from the text alone, for nobody waits for a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virtual_digiware.profiles import yaml_data
from virtual_digiware.simulator.site_file import shipped_sites


@dataclass(frozen=True, slots=True)
class ListedSite:
    """One shipped site; `equipment` counts its products, heads before modules."""

    name: str
    path: Path
    title: str
    equipment: str


def listed_sites() -> Iterator[ListedSite]:
    """All shipped sites by name."""
    for name, path in shipped_sites().items():
        data: Any = yaml_data.read(path.read_text(encoding="utf-8"))
        yield ListedSite(name, path, data.get("title", ""), equipment_of(data))


def equipment_of(data: Any) -> str:
    """Products of a site as its file names them: "M-70, 2 x C-31, U-30, 3 x I-60, 2 sensors"."""
    gateways = data.get("gateways", ())
    found: Counter[str] = Counter()
    for key in ("dataloggers", "gateways"):
        found.update(one["product"] for one in data.get(key, ()))
    for gateway in gateways:
        found.update(module["product"] for module in gateway.get("bus", ()))
    found.update(meter["product"] for meter in data.get("meters", ()))
    sensors = sum(len(gateway.get("sensors", ())) for gateway in gateways)
    words = [product if count == 1 else f"{count} x {product}" for product, count in found.items()]
    if sensors:
        words.append(f"{sensors} sensor{'s' if sensors > 1 else ''}")
    return ", ".join(words)
