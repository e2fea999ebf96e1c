"""What a gateway has collected from a line of which it is the client, as BACnet, SNMP and MQTT show it."""

from __future__ import annotations

from tests.simulator.line_sites import AT, MASTER, Running, running
from virtual_digiware.devices.collection import Reading

REAL = MASTER.replace("{field: {}}", "{field: {timing: real, baudrate: 9600}}")


def power(site: Running, address: int) -> Reading:
    """Active power of the first circuit, and how it was collected."""
    collection = site.site.building.collections["master"]
    unit = collection.unit_at(address)
    assert unit is not None
    return collection.reading(unit, "circuit.instantaneous", "active_power_total", 0)


async def test_the_collection_of_a_master_has_the_units_of_its_line_beside_its_own():
    async with running(MASTER) as site:
        collection = site.site.building.collections["master"]
        assert [unit.address for unit in collection.units] == [1, 2, 3, 10, 11, 20, 21, 22]
        for address in (3, 11, 22):
            value, quality, time_ms = power(site, address)
            assert (round(value), quality, time_ms) == (await site.mbpoll("master", address), "good", AT)


async def test_a_real_line_is_polled_in_cycles_and_what_is_shown_has_the_time_of_the_poll():
    async with running(REAL) as site:
        cycle_ms = site.site.endpoints.site_lines.polling["master"].cycle_ms
        assert cycle_ms > 1000
        poll_ms = AT // cycle_ms * cycle_ms
        assert power(site, 11).time_ms == poll_ms
        await site.site.advance_to(poll_ms + cycle_ms - 1)
        assert power(site, 11).time_ms == poll_ms
        assert power(site, 3).time_ms == poll_ms + cycle_ms - 1
        await site.site.advance_to(poll_ms + cycle_ms)
        assert power(site, 11).time_ms == poll_ms + cycle_ms


async def test_one_leap_or_many_steps_show_the_same():
    end_ms = AT + 61_234
    async with running(REAL) as leaping:
        await leaping.site.advance_to(end_ms)
        one = [power(leaping, address) for address in (3, 11, 22)]
    async with running(REAL) as stepping:
        for t_ms in range(AT + 7_000, end_ms, 7_000):
            await stepping.site.advance_to(t_ms)
        await stepping.site.advance_to(end_ms)
        assert [power(stepping, address) for address in (3, 11, 22)] == one


async def test_a_silent_unit_is_lost_after_as_many_polls_as_said_and_found_again_at_a_slow_poll():
    async with running(REAL) as site:
        collection = site.site.building.collections["master"]
        unit = collection.unit_at(11)
        assert unit is not None
        cycle_ms = site.site.endpoints.site_lines.polling["master"].cycle_ms
        first_ms = (AT // cycle_ms + 1) * cycle_ms
        last_heard_ms = power(site, 11).time_ms
        site.unplug("far/i")
        await site.site.advance_to(first_ms + 2 * cycle_ms - 1)
        assert not collection.is_lost(unit)
        await site.site.advance_to(first_ms + 2 * cycle_ms)
        assert collection.is_lost(unit)
        assert power(site, 11)[1:] == ("lost", last_heard_ms)
        assert power(site, 10).quality == "not_available"  # a U module has no circuits, and is not lost
        site.unplug("far/i", present=True)
        await site.site.advance_to(first_ms + 13 * cycle_ms)
        reading = power(site, 11)
        assert (reading.quality, reading.time_ms) == ("good", first_ms + 13 * cycle_ms)


async def test_the_loss_of_an_interface_takes_its_modules_and_gives_alarms_of_the_master():
    async with running(MASTER) as site:
        site.unplug("far")
        await site.site.advance_to(AT + 10_000)
        collection = site.site.building.collections["master"]
        lost = [unit.path for unit in collection.units if collection.is_lost(unit)]
        assert lost == ["far/u", "far/i"]
        alarms = site.site.building.model.snapshot.alarms
        texts = {event.text for event in alarms.active if event.unit == "master"}
        assert texts == {"far/u: no answer", "far/i: no answer"}


async def test_a_device_with_wrong_settings_is_never_collected():
    text = MASTER.replace("C-31\n    rs485: {line: field}", "C-31\n    rs485: {line: field, parity: odd}")
    async with running(text) as site:
        await site.site.advance_to(AT + 10_000)
        assert power(site, 11)[1:] == ("lost", 0)
        texts = {one.text for one in site.site.building.model.snapshot.alarms.active}
        assert texts == {"far/u: no answer", "far/i: no answer"}
        assert power(site, 22).quality == "good"
