"""Rules of Bluetooth environmental sensors."""

from __future__ import annotations

from virtual_digiware.simulator.rules.rule import Rule

RULES: tuple[Rule, ...] = ()
