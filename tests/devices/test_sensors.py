import pytest

from virtual_digiware.devices.sensors import sensor_for, sensors


def test_a_te_25_covers_40_to_160_a():
    sensor = sensor_for("TE-25", 160.0)
    assert sensor is not None
    assert (sensor.current_min_a, sensor.current_max_a, sensor.order_code) == (40.0, 160.0, "4829 0502")
    assert sensor_for("TE-25", 161.0) is None


def test_the_two_te_18_share_a_name_and_differ_in_range():
    low, high = sensor_for("TE-18", 10.0), sensor_for("TE-18", 40.0)
    assert low is not None
    assert high is not None
    assert (low.order_code, high.order_code) == ("4829 0500", "4829 0501")
    assert sensor_for("TE-18", 22.0) is None


def test_an_unknown_sensor_is_refused():
    with pytest.raises(KeyError, match="TX-1"):
        sensor_for("TX-1", 10.0)


def test_ranges_that_no_document_gives_are_marked():
    assert {sensor.confidence for sensor in sensors() if sensor.family == "TE"} == {"confirmed"}
    assert {sensor.confidence for sensor in sensors() if sensor.family != "TE"} == {"inferred"}
    assert all(sensor.current_min_a < sensor.current_max_a for sensor in sensors())
