"""Values that a supervisor stored: right, or wrong in a way that the verdict names."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.devices.block import Row
from virtual_digiware.simulator.instants import parse_instant
from virtual_digiware.simulator.oracle.mistakes import Evidence, suspects
from virtual_digiware.simulator.oracle.oracle import SiteOracle
from virtual_digiware.simulator.oracle.truth import ModbusTruth, Truth
from virtual_digiware.simulator.oracle.units import UnitUnknown
from virtual_digiware.simulator.oracle.verdict import NoNumber, Verdict, assert_stored, judge, weigh
from virtual_digiware.simulator.site_file import load_site

AT = parse_instant("2026-03-02T10:00:00Z")
POWER = "i35/incomer/active_power_total"
WORDS = st.integers(0, 0xFFFF)
FORMS = {"S16": ">h", "U16": ">H", "S32": ">i", "U32": ">I", "S64": ">q", "U64": ">Q"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteOracle:
    """The demo site, in operation since two hours."""
    path = tmp_path_factory.mktemp("site") / "site.yaml"
    path.write_text("extends: demo\nsite: demo\ncommissioned: 2026-03-02T08:00:00Z\n", encoding="utf-8")
    return SiteOracle(load_site(str(path)))


def verdict_on(
    stored: float | None, block: tuple[int, ...], form: str, scale: float, **more: dict
) -> Verdict:
    """On a register in the middle of a block; the truth is decoded with the standard library."""
    size = struct.calcsize(FORMS[form]) // 2
    words = block[4 : 4 + size]
    [number] = struct.unpack(FORMS[form], b"".join(word.to_bytes(2, "big") for word in words))
    value = number * scale
    row = Row("active_power_total", 4, form, size, scale, "W")
    modbus = ModbusTruth(3, 104, (3,), form, scale, "high word first", words, value, scale / 2, "confirmed")
    truth = Truth("p", "m/i", "I-35", "c", "t", "p", "", AT, value, "W", "good", 0, modbus)
    return weigh(truth, Evidence(row, block, value, **more), stored)


def decoded(words: tuple[int, ...], form: str, scale: float) -> float:
    return float(struct.unpack(form, b"".join(word.to_bytes(2, "big") for word in words))[0]) * scale


BLOCKS = st.tuples(*[WORDS] * 12)
SCALES = st.sampled_from([1.0, 0.1, 0.01, 0.001, 10.0])


@st.composite
def mistaken(draw: st.DrawFn) -> tuple[str, float, tuple[int, ...], str, float, dict]:
    """A mistake, what it stores, and the truth; worked out here, without the code under test."""
    block, form, scale = draw(BLOCKS), draw(st.sampled_from(sorted(FORMS))), draw(SCALES)
    pattern = FORMS[form]
    size = struct.calcsize(pattern) // 2
    words = block[4 : 4 + size]
    value = decoded(words, pattern, scale)
    little = tuple(int.from_bytes(word.to_bytes(2, "big"), "little") for word in words)
    other, earlier = draw(st.tuples(*[WORDS] * size)), draw(st.integers(-(10**6), 10**6)) * scale
    step = draw(st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 4]))
    choices = {
        "swapped_words": decoded(words[::-1], pattern, scale),
        "swapped_bytes": decoded(little, pattern, scale),
        "wrong_scale": value * 10 ** draw(st.sampled_from([-6, -3, -2, -1, 1, 2, 3, 6])),
        "wrong_sign": -value,
        "neighbour_register": decoded(block[4 + step : 4 + step + size], pattern, scale),
        "wrong_unit_id": decoded(other, pattern, scale),
        "stale": earlier,
    }
    if size == 2:
        choices["wrong_width"] = decoded(draw(st.sampled_from([words[:1], words[1:]])), ">H", scale)
    if size == 1:
        choices["wrong_width"] = decoded(block[4:6], ">I", scale)
    mistake = draw(st.sampled_from(sorted(choices)))
    more = {"others": {"m/other": other}, "earlier": {AT - 1000: earlier}}
    return mistake, choices[mistake], block, form, scale, more


@given(mistaken())
def test_every_mistake_is_recognised_or_named_among_others(case) -> None:
    mistake, stored, block, form, scale, more = case
    verdict = verdict_on(stored, block, form, scale, **more)
    named = {suspect.mistake for suspect in verdict.suspects}
    assert verdict.is_right or mistake in named
    assert verdict.finding in ("right", "ambiguous", mistake)
    assert (verdict.finding == "ambiguous") == (len(named) > 1)


@given(BLOCKS, st.sampled_from(sorted(FORMS)), SCALES)
def test_what_the_registers_say_is_right(block, form, scale) -> None:
    size = struct.calcsize(FORMS[form]) // 2
    value = decoded(block[4 : 4 + size], FORMS[form], scale)
    assert verdict_on(value, block, form, scale).is_right


@given(BLOCKS, st.integers(2, 4))
def test_a_value_with_fewer_digits_is_called_rounded(block, digits) -> None:
    value = decoded(block[4:6], ">i", 1.0)
    stored = float(f"{value:.{digits - 1}e}")
    verdict = verdict_on(stored, block, "S32", 1.0)
    assert verdict.is_right or "rounded" in {suspect.mistake for suspect in verdict.suspects}


@given(BLOCKS, st.floats(-1e9, 1e9))
def test_what_no_mistake_explains_is_called_unknown(block, stored) -> None:
    verdict = verdict_on(stored, block, "S32", 1.0)
    assert (verdict.finding == "unknown") == (not verdict.is_right and not verdict.suspects)


@pytest.mark.parametrize(
    ("stored", "unit", "finding", "told"),
    [
        (75498, None, "right", "right"),
        (75497.88, None, "right", "right"),  # as BACnet tells it
        (75.498, "kW", "right", "right"),
        (75.498, None, "wrong_scale", "1000 times too small"),
        (75, "kW", "rounded", "rounded or cut off to steps of 1000"),
        (-75498, "W", "wrong_sign", "the sign turned round"),
        (0x26EA0001, None, "swapped_words", "the words in the wrong order"),
        (0x0100EA26, None, "swapped_bytes", "the bytes of each register in the wrong order"),
        (0x26EA, None, "wrong_width", "only the second half of 2 registers"),
        (22541, None, "neighbour_register", "read 2 registers too far"),
        (81.234567, None, "unknown", "no known mistake leads there"),
        (None, None, "missing", "a value should be there"),
    ],
)
def test_the_power_of_the_incomer(site: SiteOracle, stored, unit, finding, told) -> None:
    verdict = judge(site, POWER, stored, AT, unit)
    assert (verdict.finding, told in verdict.message) == (finding, True), verdict.message
    assert "right is 75498 W (registers 0001 26EA at 18476)" in verdict.message


def test_a_value_of_three_refreshes_ago_is_stale(site: SiteOracle) -> None:
    before = site.at(AT - 3000).truth(POWER).modbus
    assert before is not None
    verdict = judge(site, POWER, before.value, AT)
    assert verdict.finding == "stale"
    assert "2026-03-02T09:59:57Z, not read again since" in verdict.message


def test_a_value_of_another_module_names_the_module(site: SiteOracle) -> None:
    other = site.at(AT).truth("s135/chiller/active_power_total").modbus
    assert other is not None
    verdict = judge(site, POWER, other.value, AT)
    assert verdict.finding == "wrong_unit_id"
    assert "read from m70/s135" in verdict.message


def test_a_number_for_what_is_not_measured_is_not_right(site: SiteOracle) -> None:
    name = "io20/1/temperature"  # a probe that is not wired
    value = site.at(AT).truth(name).value
    assert (value, judge(site, name, None, AT).finding) == (None, "right")
    assert judge(site, name, 0.0, AT).finding == "not_available"


def test_a_wrong_value_fails_a_test_with_the_likely_mistake(site: SiteOracle) -> None:
    with pytest.raises(AssertionError, match="likely 1000 times too small"):
        assert_stored(judge(site, POWER, 75.498, AT))
    assert_stored(judge(site, POWER, 75500, AT), accept=("rounded",))


def test_questions_that_cannot_be_answered_are_refused(site: SiteOracle) -> None:
    with pytest.raises(UnitUnknown, match="right would be one of W, mW, kW, MW, GW"):
        judge(site, POWER, 1, AT, "kWh")
    with pytest.raises(NoNumber, match="is a text"):
        judge(site, "i35/product_name", 1, AT)


def test_mistakes_that_change_nothing_are_not_suspected() -> None:
    row = Row("active_power_total", 0, "S32", 2, 1.0, "W")
    assert list(suspects(Evidence(row, (0, 0), 0.0))) == []
