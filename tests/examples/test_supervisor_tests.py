"""The sample test-suite of a supervisor, run as a user runs it; and it fails when the supervisor is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.user_project import TOP, run_pytest

TESTS = 10


@pytest.fixture
def example(tmp_path):
    """A copy, so that nothing of the run stays beside the sources."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    return Path(shutil.copytree(TOP / "examples" / "supervisor_tests", tmp_path / "example", ignore=ignored))


def test_the_sample_supervisor_passes(example):
    printed, counts = run_pytest(example)
    assert f"{TESTS} passed" in counts, printed


@pytest.mark.parametrize(
    ("right", "wrong", "found_by"),
    [
        (
            "return words[first] << 16 | words[first + 1]",
            "return words[first + 1] << 16 | words[first]",
            "values",
        ),
        ('struct.unpack(">i"', 'struct.unpack(">I"', "power_that_flows_back"),
        ("voltage_l1_v=unsigned(words, 12) / 100", "voltage_l1_v=unsigned(words, 12) / 10", "scales"),
        ("or now - reading.measured_at > limit", "or limit < timedelta(0)", "stale"),
        ("self.offline.add(name)", "break", "one_device_is_offline"),
        (".astimezone(self._timezone).date()", ".date()", "25_hours"),
        ("unsigned([kwh_high, kwh_low], 0) * 1000 +", "", "energy_counter"),
        ("UNDERVOLTAGE, 1)[0] == 1", "UNDERVOLTAGE, 1)[0] > 0", "alarm"),
    ],
)
def test_a_mistake_in_the_supervisor_is_found(example, right, wrong, found_by):
    supervisor = example / "supervisor.py"
    text = supervisor.read_text(encoding="utf-8")
    assert right in text
    supervisor.write_text(text.replace(right, wrong), encoding="utf-8")
    printed, counts = run_pytest(example, "-k", found_by)
    assert "1 failed" in counts, printed
