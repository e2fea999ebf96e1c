"""Counting on a direct-current board: no interruption, told early or late, lets a counter fall back."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from virtual_digiware.devices.dc.plant import DcPlant
from virtual_digiware.profiles.dc.installation import (
    Battery,
    DcBoard,
    DcCircuit,
    DcInstallation,
    Rectifier,
)
from virtual_digiware.profiles.installation import Event

AT = 1_772_445_603_000  # inside a base step
SITE = DcInstallation(
    "test",
    (DcBoard("bus", Rectifier(12_000, 53.5, mains="mains"), Battery(200, 51.0, 43.5, 43.2, 0.005)),),
    (
        DcCircuit("in", "bus", "incomer"),
        DcCircuit("cells", "bus", "battery"),
        DcCircuit("radio", "bus", load_class="telecom-48v", nominal_w=3000),
        DcCircuit("heater", "bus", load_class="dc-heater", nominal_w=5000),
    ),
)


def outage(start_ms: int, end_ms: int | None) -> Event:
    return Event(kind="interruption", target="mains", start_ms=start_ms, end_ms=end_ms)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 100_000),
    st.integers(1, 60_000),
    st.booleans(),
    st.lists(st.integers(0, 200_000), min_size=2, max_size=12),
)
@example(7_000 + 4_000, 30_000, False, [0, 10_999, 11_000, 11_001, 20_000])
def test_a_counter_never_falls_back_and_a_late_word_counts_like_an_early_one(
    start: int, duration: int, is_calmed: bool, reads: list[int]
):
    event = outage(AT + start, None if is_calmed else AT + start + duration)
    told, known = DcPlant(SITE, 3, AT), DcPlant(SITE, 3, AT, [outage(AT + start, AT + start + duration)])
    before = np.zeros((2, 4), np.int64)
    turns = [(start, 0), *([(start + duration, 2)] if is_calmed else [])]
    for offset, what in sorted([*turns, *((one, 1) for one in reads)]):
        if what == 0:
            shown = told.energies_mj(AT + offset)
            told.disturb(event)
            assert (told.energies_mj(AT + offset) == shown).all()
        elif what == 2:
            told.calm(event, AT + offset)
        now = told.energies_mj(AT + offset)
        assert (now >= before).all()
        # What comes in is what goes out, to the last millijoule.
        assert (now[0] - now[1])[0] == (now[0] - now[1])[1:].sum()
        before = now
    end = AT + 300_000
    assert (told.energies_mj(end) == known.energies_mj(end)).all()
