"""What a gateway and its modules answer, request and answer written out byte by byte."""

from __future__ import annotations

import struct

import pytest

from tests.buses.bacnet.cabinet import (
    ANALOG_INPUT,
    BINARY_INPUT,
    BINARY_OUTPUT,
    CLIENT,
    DEVICE,
    I60,
    IO10,
    IO20,
    OBJECT_LIST,
    OBJECT_NAME,
    PRESENT_VALUE,
    RELIABILITY,
    STATUS_FLAGS,
    U30,
    Cabinet,
    apdu_from,
    apdu_of,
    broadcast,
    confirmed,
    context,
    object_id,
    read_multiple,
    read_property,
    routed,
    to_gateway,
    to_module,
    unicast,
    value_of,
    write_property,
)
from virtual_digiware.devices.records import Refusal

WHO_IS = bytes.fromhex("10 08")
GLOBAL = bytes.fromhex("01 20 ff ff 00 ff")
LOCAL = bytes.fromhex("01 00")
VIRTUAL = bytes.fromhex("01 20 07 d1 00 ff")
ACTIVE, INACTIVE, NULL = bytes.fromhex("91 01"), bytes.fromhex("91 00"), b"\0"


def instances(answers: list[bytes]) -> list[int]:
    """Device instances of I-Ams: max APDU 1476, segmented both, vendor 591."""
    found = []
    for answer in answers:
        apdu = apdu_of(answer)
        assert apdu[:3] == bytes.fromhex("10 00 c4")
        assert apdu[7:] == bytes.fromhex("22 05 c4 91 00 22 02 4f")
        found.append(int.from_bytes(apdu[3:7], "big") & 0x3FFFFF)
    return found


def ask(cabinet: Cabinet, mac: int | None, apdu: bytes) -> bytes:
    return apdu_from(cabinet.ask(routed(mac, apdu)))


def read(cabinet: Cabinet, mac: int | None, object_type: int, instance: int, prop: int) -> bytes:
    return value_of(ask(cabinet, mac, read_property(object_type, instance, prop)))


@pytest.mark.parametrize(
    ("npdu", "expected"),
    [
        (GLOBAL, [100, 102, 103, 104, 105, 106, 107, 108]),
        (LOCAL, [100]),
        (VIRTUAL, [102, 103, 104, 105, 106, 107, 108]),
    ],
)
def test_who_is_finds_the_devices_of_the_networks_it_is_sent_to(standing, npdu, expected):
    assert instances(standing.ask(broadcast(npdu + WHO_IS))) == expected
    assert {address for _, address in standing.sent} == {CLIENT}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ("09 64 19 67", [100, 102, 103]),
        ("09 00 1b 3f ff ff", [100, 102, 103, 104, 105, 106, 107, 108]),
        ("09 68 19 68", [104]),
        ("0b 3f ff ff 1b 3f ff ff", []),
        ("09 68", []),  # one limit alone
        ("19 68", []),
        ("0b 40 00 00 1b 7f ff ff", []),
        ("09 68 19 67", []),
    ],
)
def test_who_is_minds_its_limits(standing, limits, expected):
    assert instances(standing.ask(broadcast(GLOBAL + WHO_IS + bytes.fromhex(limits)))) == expected


def test_an_answer_from_a_module_names_its_network_and_address(standing):
    (answer,) = standing.ask(broadcast(GLOBAL + WHO_IS + bytes.fromhex("09 68 19 68")))
    assert answer[:10] == bytes.fromhex("81 0a 00 19 01 08 07 d1 01 04")


def test_a_client_behind_another_router_gets_its_answer_through_that(standing):
    request = read_property(DEVICE, 104, OBJECT_NAME)
    npdu = bytes.fromhex("01 2c 07 d1 01 04 00 05 02 ab cd ff")
    (answer,) = standing.ask(unicast(npdu + request))
    assert answer[4:].startswith(bytes.fromhex("01 28 00 05 02 ab cd 07 d1 01 04 ff 30 01 0c"))


def test_who_has_is_answered_by_identifier_and_by_name(standing):
    by_id = bytes.fromhex("10 07 2c") + object_id(ANALOG_INPUT, 418)
    (answer,) = standing.ask(broadcast(GLOBAL + by_id))
    expected = b"\xc4" + object_id(DEVICE, 104) + b"\xc4" + object_id(ANALOG_INPUT, 418)
    name = b"L4.TotalPowerActive"
    assert apdu_of(answer) == bytes.fromhex("10 01") + expected + bytes((0x75, len(name) + 1, 0)) + name
    by_name = bytes.fromhex("10 07 3d") + bytes((len(name) + 1, 0)) + name
    assert standing.ask(broadcast(GLOBAL + by_name)) == [answer]
    assert standing.ask(broadcast(GLOBAL + by_name[:-1] + b"X")) == []


def test_who_has_minds_its_limits(standing):
    limited = bytes.fromhex("10 07 09 66 19 66 2c") + object_id(ANALOG_INPUT, 101)
    (answer,) = standing.ask(broadcast(GLOBAL + limited))
    assert apdu_of(answer)[3:7] == object_id(DEVICE, 102)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("01 00 00", "01 80 01 07 d1"),
        ("01 80 00", "01 80 01 07 d1"),
        ("01 80 00 07 d1", "01 80 01 07 d1"),
        ("01 80 00 07 d2", None),
        ("01 80 06 00", "01 80 07 01 07 d1 01 00"),
        ("01 80 06 01 00 07 01 00", None),
        ("01 80 12", None),
        ("01 80 55", "01 80 03 03 07 d1"),
    ],
)
def test_the_router_answers_messages_of_the_network_layer(standing, request_, answer):
    if request_.startswith("01 00"):
        request_ = "01 80 00"
    answers = standing.ask(unicast(bytes.fromhex(request_)))
    assert [one[4:].hex(" ") for one in answers] == ([] if answer is None else [answer])


def test_a_message_for_an_unknown_network_is_rejected_and_one_for_nobody_is_not_answered(standing):
    elsewhere = unicast(bytes.fromhex("01 24 0b b8 01 04 ff") + read_property(DEVICE, 104, 77))
    assert [one[4:].hex(" ") for one in standing.ask(elsewhere)] == ["01 80 03 01 0b b8"]
    assert standing.ask(to_module(99, read_property(DEVICE, 199, 77))) == []
    assert standing.ask(to_module(1, read_property(DEVICE, 101, 77))) == []  # the gateway's own address


def test_a_read_of_a_module_has_the_answer_of_its_registers(standing):
    value = read(standing, I60, ANALOG_INPUT, 118, PRESENT_VALUE)
    unit = standing.collection.unit_at(I60)
    column = standing.collection.column(unit, "circuit.instantaneous", ("active_power_total",))
    assert value == b"\x44" + struct.pack(">f", column[0, 0])


def test_an_object_says_what_it_is(standing):
    assert read(standing, I60, ANALOG_INPUT, 418, OBJECT_NAME)[3:] == b"L4.TotalPowerActive"
    assert read(standing, I60, ANALOG_INPUT, 418, 28)[3:] == b"sockets_3: total active power"
    assert read(standing, I60, ANALOG_INPUT, 418, 117) == bytes.fromhex("91 2f")  # watts
    assert read(standing, I60, ANALOG_INPUT, 418, STATUS_FLAGS) == bytes.fromhex("82 04 00")
    assert read(standing, I60, ANALOG_INPUT, 418, RELIABILITY) == bytes.fromhex("91 00")


def test_the_wildcard_instance_is_the_device_that_is_asked(standing):
    for mac, instance in ((None, 100), (I60, 104)):
        answer = ask(standing, mac, read_property(DEVICE, 4194303, 75))
        assert (
            answer
            == bytes.fromhex("30 01 0c 0c")
            + object_id(DEVICE, instance)
            + bytes.fromhex("19 4b 3e c4")
            + object_id(DEVICE, instance)
            + b"\x3f"
        )


@pytest.mark.parametrize(
    ("mac", "object_type", "instance", "prop", "index", "error"),
    [
        (I60, ANALOG_INPUT, 518, PRESENT_VALUE, None, "91 01 91 1f"),  # the I-60 here has four circuits
        (I60, ANALOG_INPUT, 145, PRESENT_VALUE, None, "91 01 91 1f"),
        (I60, 2, 118, PRESENT_VALUE, None, "91 01 91 1f"),
        (I60, DEVICE, 100, OBJECT_NAME, None, "91 01 91 1f"),
        (I60, ANALOG_INPUT, 118, 87, None, "91 02 91 20"),
        (I60, ANALOG_INPUT, 118, PRESENT_VALUE, 1, "91 02 91 32"),
        (I60, DEVICE, 104, OBJECT_LIST, 9999, "91 02 91 2a"),
        (None, ANALOG_INPUT, 101, PRESENT_VALUE, None, "91 01 91 1f"),
        (IO10, BINARY_INPUT, 500, PRESENT_VALUE, None, "91 01 91 1f"),
        (IO10, BINARY_INPUT, 101, PRESENT_VALUE, None, "91 01 91 1f"),
    ],
)
def test_what_cannot_be_read_has_its_error(standing, mac, object_type, instance, prop, index, error):
    answer = ask(standing, mac, read_property(object_type, instance, prop, index))
    assert answer == bytes.fromhex("50 01 0c") + bytes.fromhex(error)


@pytest.mark.parametrize(
    ("apdu", "answer"),
    [
        (confirmed(5, bytes.fromhex("09 01 1c 00 00 00 76 29 00 39 3c")), "60 01 09"),  # SubscribeCOV
        (confirmed(17, bytes.fromhex("09 05 19 01")), "60 01 09"),  # DeviceCommunicationControl
        (confirmed(20, bytes.fromhex("09 00")), "60 01 09"),  # ReinitializeDevice
        (confirmed(200, b""), "60 01 09"),
        (confirmed(12, b"\x0c" + object_id(ANALOG_INPUT, 118)), "60 01 05"),  # no property
        (confirmed(12, b""), "60 01 05"),
        (confirmed(12, b"\x1c" + object_id(ANALOG_INPUT, 118)), "60 01 05"),
        (confirmed(12, b"\x0c\x00\x00"), "60 01 04"),
        (confirmed(14, b"\x0c" + object_id(ANALOG_INPUT, 118) + b"\x1e\x09\x55"), "60 01 04"),
        (confirmed(14, b"\x0c" + object_id(ANALOG_INPUT, 118) + b"\x1e\x1f"), "60 01 05"),
        (confirmed(14, b""), "60 01 05"),
    ],
)
def test_a_request_that_is_wrong_in_itself_is_rejected(standing, apdu, answer):
    rejected = ask(standing, I60, apdu)
    assert rejected.hex(" ") == answer


def test_a_read_of_several_objects_mixes_values_and_refusals(standing):
    request = read_multiple((ANALOG_INPUT, 118, [75, 9999]), (ANALOG_INPUT, 199, [PRESENT_VALUE]))
    assert ask(standing, I60, request) == (
        bytes.fromhex("30 01 0e 0c") + object_id(ANALOG_INPUT, 118) + bytes.fromhex("1e 29 4b 4e c4")
        + object_id(ANALOG_INPUT, 118) + bytes.fromhex("4f 2a 27 0f 5e 91 02 91 20 5f 1f 0c")
        + object_id(ANALOG_INPUT, 199) + bytes.fromhex("1e 29 55 5e 91 01 91 1f 5f 1f")
    )  # fmt: skip


def test_a_read_of_unknown_objects_alone_fails_as_a_whole(standing):
    answer = ask(standing, I60, read_multiple((ANALOG_INPUT, 199, [PRESENT_VALUE])))
    assert answer == bytes.fromhex("50 01 0e 91 01 91 1f")


@pytest.mark.parametrize(("mac", "instance"), [(None, 100), (U30, 102), (I60, 104), (IO10, 107), (IO20, 108)])
def test_every_object_of_the_list_reads_all_its_properties(standing, mac, instance):
    device = standing.directory.gateway if mac is None else standing.directory.at(mac)
    assert device.instance == instance
    names = [device.object_name(number) for number in device.object_ids()]
    assert len(set(names)) == len(names)
    for number in device.object_ids():
        sets = device.properties(number)
        assert not set(sets.required) & set(sets.optional)
        for prop in sets.all:
            device.read(number, prop)
        listed = {value.content for value in device.read(number, 371)}
        assert listed == set(sets.all) - {75, 77, 79}


def test_selectors_choose_required_optional_and_all_properties(standing):
    def chosen(selector: int) -> set[int]:
        answer = ask(standing, I60, read_multiple((ANALOG_INPUT, 118, [selector])))
        found, at = set(), 9
        while answer[at] != 0x1F:
            size = answer[at] & 7
            found.add(int.from_bytes(answer[at + 1 : at + 1 + size], "big"))
            at = answer.index(b"\x4f", at + 3) + 1
            while answer[at] not in (0x29, 0x2A, 0x1F):  # a 0x4f inside of a value
                at = answer.index(b"\x4f", at) + 1
        return found

    required = {75, 77, 79, 85, 111, 36, 81, 117}
    assert chosen(105) == required
    assert chosen(80) == {28, 103, 125, 65, 149, 69, 150}
    assert chosen(8) == required | {28, 103, 125, 65, 149, 69, 150, *range(4000, 4006), 4090, 4091}


def test_a_measurement_that_the_module_does_not_make_reads_zero(standing):
    assert read(standing, standing.collection.unit_at(5).address, ANALOG_INPUT, 141, 4006)[0] == 0x44
    assert read(standing, U30, ANALOG_INPUT, 101, 4002) == bytes.fromhex("44 00 00 00 00")


def test_extremes_carry_their_dates_and_energies_their_residuals(standing):
    unit = standing.collection.unit_at(3)
    column = standing.collection.column(unit, "circuit.maximum", ("current_l1",))
    assert read(standing, 3, ANALOG_INPUT, 111, 65) == b"\x44" + struct.pack(">f", column[0, 0])
    assert read(standing, 3, ANALOG_INPUT, 111, 149)[:3] == bytes((0xA4, 126, 1))
    residual = standing.collection.column(unit, "circuit.energy", ("active_energy_import_residual",))
    assert read(standing, 3, ANALOG_INPUT, 150, 4015) == b"\x44" + struct.pack(">f", residual[0, 0])
    harmonic = standing.collection.column(unit, "circuit.harmonic_current", ("harmonic_current_l1_h5",))
    assert read(standing, 3, ANALOG_INPUT, 141, 4009) == b"\x44" + struct.pack(">f", harmonic[0, 0])


def test_a_module_off_the_bus_keeps_its_values_and_shows_a_communication_failure(cabinet):
    before = read(cabinet, I60, ANALOG_INPUT, 118, PRESENT_VALUE)
    cabinet.unplug("m70/i60")
    assert read(cabinet, I60, ANALOG_INPUT, 118, RELIABILITY) == bytes.fromhex("91 0c")
    assert read(cabinet, I60, ANALOG_INPUT, 118, STATUS_FLAGS) == bytes.fromhex("82 04 40")
    assert read(cabinet, I60, DEVICE, 104, 112) == bytes.fromhex("91 04")
    assert read(cabinet, I60, ANALOG_INPUT, 118, PRESENT_VALUE) == before
    assert read(cabinet, U30, ANALOG_INPUT, 101, RELIABILITY) == bytes.fromhex("91 00")


@pytest.mark.parametrize("priority", [None, 1, 8, 16])
def test_an_output_is_switched_by_the_command_registers(cabinet, priority):
    on = write_property(BINARY_OUTPUT, 200, PRESENT_VALUE, ACTIVE, priority)
    assert ask(cabinet, IO10, on) == bytes.fromhex("20 01 0f")
    assert read(cabinet, IO10, BINARY_OUTPUT, 200, PRESENT_VALUE) == ACTIVE
    assert read(cabinet, IO10, BINARY_OUTPUT, 100, PRESENT_VALUE) == INACTIVE
    assert read(cabinet, IO10, BINARY_OUTPUT, 200, 87) == NULL * 15 + ACTIVE
    assert ask(cabinet, IO10, write_property(BINARY_OUTPUT, 200, PRESENT_VALUE, INACTIVE))[0] == 0x20
    assert read(cabinet, IO10, BINARY_OUTPUT, 200, PRESENT_VALUE) == INACTIVE
    assert cabinet.writes.taken == [("m70/io10", 16, 11284, (0, 2)), ("m70/io10", 16, 11284, (2, 0))]


def test_a_relinquished_output_goes_off(cabinet):
    ask(cabinet, IO10, write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, ACTIVE, 8))
    assert ask(cabinet, IO10, write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, NULL, 8))[0] == 0x20
    assert read(cabinet, IO10, BINARY_OUTPUT, 100, PRESENT_VALUE) == INACTIVE


@pytest.mark.parametrize(
    ("apdu", "answer"),
    [
        (write_property(BINARY_OUTPUT, 300, PRESENT_VALUE, ACTIVE), "50 01 0f 91 01 91 1f"),
        (write_property(BINARY_OUTPUT, 100, 9999, ACTIVE), "50 01 0f 91 02 91 20"),
        (write_property(BINARY_OUTPUT, 100, 77, bytes.fromhex("72 00 41")), "50 01 0f 91 02 91 28"),
        (write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, bytes.fromhex("21 01")), "50 01 0f 91 02 91 09"),
        (write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, bytes.fromhex("91 02")), "50 01 0f 91 02 91 25"),
        (write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, b""), "50 01 0f 91 02 91 09"),
        (write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, ACTIVE, index=1), "50 01 0f 91 02 91 32"),
        (write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, ACTIVE, 17), "60 01 06"),
        (write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, ACTIVE, 0), "60 01 06"),
        (write_property(BINARY_INPUT, 100, PRESENT_VALUE, ACTIVE), "50 01 0f 91 02 91 28"),
        (write_property(DEVICE, 107, 77, bytes.fromhex("72 00 41")), "50 01 0f 91 02 91 28"),
    ],
)
def test_what_cannot_be_written_has_its_error(standing, apdu, answer):
    assert ask(standing, IO10, apdu).hex(" ") == answer
    assert standing.writes.taken == []


@pytest.mark.parametrize(("code", "error"), [(1, "91 02 91 28"), (3, "91 02 91 25"), (4, "91 00 91 19")])
def test_a_refusal_of_the_device_becomes_an_error(cabinet, code, error):
    cabinet.writes.refusal = Refusal(code, "a test")
    answer = ask(cabinet, IO10, write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, ACTIVE))
    assert answer == bytes.fromhex("50 01 0f") + bytes.fromhex(error)


def test_an_output_of_a_lost_module_cannot_be_written(cabinet):
    cabinet.unplug("m70/io10")
    answer = ask(cabinet, IO10, write_property(BINARY_OUTPUT, 100, PRESENT_VALUE, ACTIVE))
    assert answer == bytes.fromhex("50 01 0f 91 00 91 19")
    assert cabinet.writes.taken == []


TIME_SYNC = bytes.fromhex("10 06 a4 7e 02 03 02 b4 0d 0e 0f 00")  # 2026-02-03 13:14:15


def test_time_synchronisation_sets_the_clock_of_a_module(cabinet):
    assert cabinet.ask(to_module(I60, TIME_SYNC)) == []
    assert cabinet.writes.taken == [("m70/i60", 16, 57600, (3, 2, 2026, 13, 14, 15))]
    assert read(cabinet, I60, DEVICE, 104, 56) == bytes.fromhex("a4 7e 02 03 02")
    assert read(cabinet, I60, DEVICE, 104, 57)[:4] == bytes.fromhex("b4 0d 0e 0f")


def test_time_synchronisation_of_the_gateway_goes_to_every_module(cabinet):
    cabinet.ask(to_gateway(TIME_SYNC))
    assert [path for path, *_ in cabinet.writes.taken] == [unit.path for unit in cabinet.collection.units]


def test_a_time_that_is_none_is_ignored(cabinet):
    cabinet.ask(to_gateway(bytes.fromhex("10 06 a4 7e ff 03 02 b4 0d 0e 0f 00")))
    assert cabinet.writes.taken == []


def test_a_confirmed_request_that_is_broadcast_is_not_answered(standing):
    assert standing.ask(broadcast(LOCAL + read_property(DEVICE, 100, 77))) == []
    assert standing.ask(unicast(GLOBAL + read_property(DEVICE, 4194303, 77))) == []


def test_a_changed_address_moves_the_device(cabinet):
    unit = cabinet.collection.unit_at(I60)
    for address, value in ((58112, 1000), (57344, 44), (57856, 0xA1)):  # unlock, address, save
        assert cabinet.writes.write(unit, 6, address, (value,)) is None
    assert 144 in instances(cabinet.ask(broadcast(GLOBAL + WHO_IS)))
    assert read(cabinet, 44, DEVICE, 144, OBJECT_NAME)[3:] == b"m70/i60"
    assert cabinet.ask(to_module(I60, read_property(DEVICE, 104, OBJECT_NAME))) == []


def test_index_zero_counts_and_an_index_picks_one_element(standing):
    count = value_of(ask(standing, I60, read_property(DEVICE, 104, OBJECT_LIST, 0)))
    assert count == bytes.fromhex("21 c5")  # the device, 4 circuits with 49 measurements
    first = value_of(ask(standing, I60, read_property(DEVICE, 104, OBJECT_LIST, 1)))
    assert first == b"\xc4" + object_id(DEVICE, 104)
    assert context(2, 0) == b"\x29\x00"
