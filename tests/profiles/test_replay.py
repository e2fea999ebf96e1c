"""A user's CSV becomes recordings; whatever is wrong with it is said by file, line and column."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.profiles.installation import Recording
from virtual_digiware.profiles.replay import RecordingFileError, parse_recording, read_recording, step_means

TEN = 1_772_445_600_000  # 2026-03-02T10:00:00Z


def test_a_file_of_two_loads_becomes_two_recordings():
    text = """# exported by hand
time,load,active_power_kw,reactive_power_kvar
2026-03-02T10:00:00Z,oven,12.5,0.5

2026-03-02T10:00:00Z,pump,3,1.5
2026-03-02T10:15:00Z,oven,0,0
2026-03-02T11:15:00+01:00,pump,2.25,-1
"""
    assert parse_recording(text, "day.csv") == {
        "oven": Recording((TEN, TEN + 900_000), (12_500.0, 0.0), (500.0, 0.0)),
        "pump": Recording((TEN, TEN + 900_000), (3000.0, 2250.0), (1500.0, -1000.0)),
    }


def test_semicolons_allow_decimal_commas_and_columns_stand_in_any_order():
    text = f"power_factor;active_power_w;time\r\n0,8;100,5;{TEN // 1000}\r\n-0,8;-200;{TEN // 1000 + 10}\r\n"
    recording = parse_recording(text, "day.csv", load="oven", repeat=False)["oven"]
    assert recording.time_ms == (TEN, TEN + 10_000)
    assert recording.active_w == (100.5, -200.0)
    assert recording.reactive_var == pytest.approx((75.375, 150.0))  # leading while exporting: quadrant 2
    assert not recording.repeat


@pytest.mark.parametrize(
    ("active", "factor", "reactive"),
    [(100, 1, 0), (100, 0.6, 133.333), (100, -0.6, -133.333), (-100, 0.6, -133.333), (-100, -0.6, 133.333)],
)
def test_reactive_power_follows_the_power_factor_through_all_quadrants(active, factor, reactive):
    text = f"time,active_power_w,power_factor\n0,{active},{factor}\n"
    recording = parse_recording(text, "x.csv", load="a")["a"]
    assert recording.reactive_var[0] == pytest.approx(reactive, abs=1e-3)


def test_times_without_an_offset_are_in_the_given_zone():
    text = "time,active_power_w,power_factor\n2026-07-01 12:00,5,1\n"
    summer = parse_recording(text, "x.csv", load="a", timezone="Europe/Paris")["a"]
    assert summer.time_ms[0] == datetime(2026, 7, 1, 10, tzinfo=UTC).timestamp() * 1000
    assert parse_recording(text, "x.csv", load="a")["a"].time_ms[0] == summer.time_ms[0] + 7_200_000


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    file = tmp_path / "day.csv"
    file.write_bytes("\ufefftime,load,active_power_w,power_factor\n0,Küche,5,1\n".encode())
    assert list(read_recording(file)) == ["Küche"]


HEADER = "time,load,active_power_w,power_factor\n"
WRONG = [  # text, line, column, found, right
    ("", 1, "", "no header row", "time, load"),
    ("# nothing\n", 1, "", "no header row", "time, load"),
    (HEADER, 1, "", "only a header", "one row"),
    ("time,load,watts\n", 1, "watts", "'watts'", "active_power_kw"),
    ("time,time,active_power_w,power_factor\n", 1, "", "twice", "once"),
    ("time,active_power_w,power_factor\n", 1, "load", "0 of them", "exactly one of load"),
    ("time,load,power_factor\n", 1, "active_power_w", "0 of them", "active_power_w or active_power_kw"),
    ("time,load,active_power_w\n", 1, "reactive_power_var", "0 of them", "power_factor"),
    ("time,load,active_power_w,power_factor,reactive_power_var\n", 1, "reactive_power_var", "2", "exactly"),
    (HEADER + "0,a,5,1\n10,a,5\n", 3, "", "3 cells", "4 are needed"),
    (HEADER + "noon,a,5,1\n", 2, "time", "'noon'", "ISO 8601"),
    (HEADER + "1772445600000,a,5,1\n", 2, "time", "'1772445600000'", "unix seconds"),
    (HEADER + "inf,a,5,1\n", 2, "time", "'inf'", "unix seconds"),
    (HEADER + "0,a,5,1\n# pause\n0,a,5,1\n", 4, "time", "'0'", "ascend"),
    (HEADER + "0,,5,1\n", 2, "load", "''", "name"),
    (HEADER + "0,a,much,1\n", 2, "active_power_w", "'much'", "number"),
    (HEADER + "0,a,nan,1\n", 2, "active_power_w", "'nan'", "number"),
    (HEADER + "0,a,5,1.2\n", 2, "power_factor", "'1.2'", "up to 1"),
    (HEADER + "0,a,5,0\n", 2, "power_factor", "'0'", "above 0"),
    (HEADER + '0,"a"b,5,1\n', 2, "", "expected after", "quotes"),
]


@pytest.mark.parametrize(("text", "line", "column", "found", "right"), WRONG)
def test_what_is_wrong_is_said_by_file_line_and_column(text, line, column, found, right):
    with pytest.raises(RecordingFileError) as refusal:
        parse_recording(text, "day.csv")
    error = refusal.value
    assert (error.file, error.line, error.column) == ("day.csv", line, column)
    assert found in error.found
    assert right in error.right
    assert str(error).startswith(f"day.csv:{line}")


def test_an_unknown_load_is_refused_with_the_known_ones():
    with pytest.raises(RecordingFileError, match="the loads are oven, pump"):
        parse_recording(HEADER + "0,fridge,5,1\n", "day.csv", known={"pump", "oven"})


def test_bytes_that_are_no_utf8_are_refused_by_line(tmp_path):
    file = tmp_path / "day.csv"
    file.write_bytes(b"time,load,active_power_w,power_factor\n0,K\xfcche,5,1\n")
    with pytest.raises(RecordingFileError, match=r"day\.csv:2: found byte 0xFC"):
        read_recording(file)


# Base steps -----------------------------------------------------------------------------------------------


def test_samples_of_a_second_become_means_of_ten():
    rows = "".join(f"{second},{second},1\n" for second in range(3, 40))
    recording = parse_recording("time,active_power_w,power_factor\n" + rows, "x.csv", load="a")["a"]
    assert recording.time_ms == (0, 10_000, 20_000, 30_000)
    assert recording.active_w == pytest.approx((6.0, 14.5, 24.5, 34.5))  # the first mean is of 3 to 9 s


def test_long_samples_between_base_steps_stay_few():
    text = "time,active_power_w,power_factor\n3,100,1\n903,200,1\n1803,300,1\n"
    recording = parse_recording(text, "x.csv", load="a")["a"]
    assert len(recording.time_ms) <= 8
    assert recording.active_w[:4] == pytest.approx((100, 100, 170, 200))
    # the last one lasts to 2703 s, in a lap of whole steps
    assert 2 * recording.time_ms[-1] - recording.time_ms[-2] == 2_710_000


edges = st.lists(st.integers(1, 50_000), min_size=1, max_size=30)
power = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(st.integers(-(10**12), 10**13), edges, st.randoms(use_true_random=False))
def test_base_steps_keep_the_energy(start, lengths, random):
    time = start + np.cumsum([0, *lengths])
    values = np.array([[random.uniform(-1e5, 1e5) for _ in time]])
    end = time[-1] + lengths[-1]
    given_energy = np.sum(values[0] * np.diff([*time, end]))
    cuts, means = step_means(time.astype(np.int64), values)
    assert np.all(cuts % 10_000 == 0)
    assert np.all(np.diff(cuts) > 0)
    last = cuts[-1] - cuts[-2] if cuts.size > 1 else 10_000
    inside = np.clip([*cuts, cuts[-1] + last], time[0], end)
    assert inside[0] == time[0]
    assert inside[-1] == end
    energy = np.sum(means[0] * np.diff(inside))
    assert energy == pytest.approx(given_energy, rel=1e-9, abs=1e-6 * (end - time[0]))
    assert values.min() - 1e-6 <= means.min()
    assert means.max() <= values.max() + 1e-6


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda name: not name.startswith("#")
)
samples = st.lists(st.tuples(power, power), min_size=1, max_size=5)


@given(
    st.dictionaries(names, samples, min_size=1, max_size=4),
    st.sampled_from([",", ";"]),
    st.booleans(),
    st.integers(-(10**8), 10**9),
    st.integers(1, 10_000),
)
def test_a_recording_survives_the_file(loads, separator, is_iso, first_step, steps):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(["time", "reactive_power_var", "load", "active_power_w"])
    expected: dict[str, Recording] = {}
    for name, values in loads.items():
        times = tuple((first_step + index * steps) * 10_000 for index in range(len(values)))
        active, reactive = zip(*values, strict=True)
        expected[name] = Recording(times, active, reactive)
        for time_ms, (active_w, reactive_var) in zip(times, values, strict=True):
            moment = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=-5))) + timedelta(
                milliseconds=time_ms, hours=-5
            )
            time = moment.isoformat() if is_iso else str(time_ms // 1000)
            writer.writerow([time, repr(reactive_var), name, repr(active_w)])
    found = parse_recording(out.getvalue(), "x.csv")
    assert found == expected
