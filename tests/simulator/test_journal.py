"""The journal survives crashes, keeps order, and belongs to one site, one content and one seed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.journal import Identity, Journal, JournalRefused, open_journal

IDENTITY = Identity("demo", "f00d", 1)
WRITE = Record(2000, "write", "m70/i35", {"address": 57856, "values": [161]})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "site.journal"


def written(path: Path, *records: Record) -> bytes:
    journal = open_journal(path, IDENTITY)
    for record in records:
        journal.append(record)
    journal.close()
    return path.read_bytes()


def reread(path: Path, identity: Identity = IDENTITY) -> list[Record]:
    journal = open_journal(path, identity)
    journal.close()
    return journal.records


def test_records_come_back_as_they_were_written(path):
    records = [
        Record(1000, "commissioned"),
        WRITE,
        Record(2000, "event", "", {"kind": "dip", "residual": 0.4}),
    ]
    written(path, *records)
    assert reread(path) == records


def test_a_line_can_be_read_by_a_person(path):
    content = written(path, WRITE).decode().splitlines()
    assert json.loads(content[0]) == {
        "journal": "virtual-digiware", "version": 1, "site": "demo", "fingerprint": "f00d", "seed": 1
    }  # fmt: skip
    assert content[1] == (
        '{"at":"1970-01-01T00:00:02Z","kind":"write","target":"m70/i35","data":{"address":57856,"values":[161]}}'
    )


def test_a_journal_in_memory_keeps_records_too():
    journal = Journal(IDENTITY)
    journal.append(WRITE)
    assert journal.records == [WRITE]
    assert journal.last_of_kind("write") == WRITE
    assert journal.last_of_kind("clock") is None
    journal.close()


def test_a_record_older_than_the_last_is_not_taken(path):
    journal = open_journal(path, IDENTITY)
    journal.append(WRITE)
    with pytest.raises(ValueError, match="1970-01-01T00:00:01Z after one of"):
        journal.append(replace(WRITE, time_ms=1000))
    journal.close()
    assert reread(path) == [WRITE]


def test_a_crash_at_any_byte_loses_at_most_the_torn_record(path):
    content = written(path, Record(1000, "commissioned"), WRITE)
    ends = [position + 1 for position, byte in enumerate(content) if byte == 0x0A]
    for cut in range(len(content) + 1):
        path.write_bytes(content[:cut])
        journal = open_journal(path, IDENTITY)
        journal.close()
        whole = sum(end <= cut for end in ends)
        assert len(journal.records) == max(0, whole - 1)
        assert bool(journal.notices) == (cut not in (0, *ends))
        assert reread(path) == journal.records


def test_a_torn_last_line_is_reported_and_writing_goes_on(path):
    content = written(path, WRITE)
    path.write_bytes(content + b'{"at":"1970-01-01T00:00:03Z","ki')
    journal = open_journal(path, IDENTITY)
    assert journal.notices == [f"{path}: line 3 was torn by a crash and is cut off"]
    journal.append(replace(WRITE, time_ms=3000))
    journal.close()
    assert [record.time_ms for record in reread(path)] == [2000, 3000]


def test_a_last_block_of_zeros_counts_as_torn(path):
    content = written(path, WRITE)
    path.write_bytes(content + b"\0" * 100 + b"\n")
    assert reread(path) == [WRITE]


def refusal(path: Path, identity: Identity = IDENTITY) -> str:
    with pytest.raises(JournalRefused) as caught:
        open_journal(path, identity)
    assert caught.value.path == path
    return caught.value.reason


def test_a_damaged_line_in_the_middle_is_refused(path):
    lines = written(path, WRITE, WRITE).splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + lines[2])
    assert refusal(path) == "line 2 is damaged; restore the file, or start with another journal"


@pytest.mark.parametrize(
    "line",
    ['{"at":"now","kind":"write"}', '{"kind":"write"}', '{"at":"1970-01-01T00:00:02Z","kind":"x","data":3}'],
)
def test_a_line_that_is_no_record_is_refused(path, line):
    written(path)
    with path.open("a") as file:
        file.write(line + "\n")
    assert refusal(path) == "line 2 is not a record of this journal format"


def test_records_out_of_order_are_refused(path):
    lines = written(path, Record(1000, "commissioned"), WRITE).splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2] + lines[1])
    assert refusal(path) == "line 3 is older than the line before it"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"site": "plant"}, "belongs to site `demo`, not to `plant`"),
        ({"seed": 2}, "was begun with seed 1, not 2"),
        ({"fingerprint": "beef"}, "the site file has changed since this journal was begun"),
    ],
)
def test_a_journal_of_something_else_is_refused(path, other, reason):
    before = written(path, WRITE)
    assert reason in refusal(path, replace(IDENTITY, **other))
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ['{"hello": 1}\n', "one line\n", "no end of line", "two\nlines\n"])
def test_a_file_that_is_no_journal_is_refused_and_left_alone(path, text):
    path.write_text(text)
    assert refusal(path).startswith("is not a journal of Virtual Digiware")
    assert path.read_text() == text


def test_a_last_line_that_was_whole_once_is_not_thrown_away(path):
    content = written(path, WRITE)
    damaged = content[:-20] + b"#" + content[-19:-2] + b"\n"
    path.write_bytes(damaged)
    assert refusal(path) == "line 2 is damaged; restore the file, or start with another journal"
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null"])
def test_a_device_is_no_journal(device):
    assert refusal(Path(device)).startswith("is not an ordinary file")


def test_a_journal_of_a_later_version_is_refused(path):
    path.write_text('{"journal":"virtual-digiware","version":2}\n')
    assert refusal(path) == "has format version 2; this program reads version 1"


def test_two_processes_cannot_use_one_journal(path):
    first = open_journal(path, IDENTITY)
    assert refusal(path) == "is in use by another process"
    first.close()
    assert reread(path) == []


def test_a_journal_in_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be opened" in refusal(tmp_path / "file" / "site.journal")


def test_a_full_disk_leaves_the_journal_as_it_was(path, monkeypatch):
    journal = open_journal(path, IDENTITY)
    journal.append(WRITE)
    before = path.read_bytes()

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        journal.append(replace(WRITE, time_ms=3000))
    monkeypatch.undo()
    assert journal.records == [WRITE]
    journal.close()
    assert path.read_bytes() == before


def test_half_a_line_that_could_not_be_taken_back_goes_before_the_next_record(path, monkeypatch):
    journal = open_journal(path, IDENTITY)

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    monkeypatch.setattr(os, "ftruncate", broken)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            journal.append(WRITE)
    monkeypatch.undo()
    journal.append(replace(WRITE, time_ms=3000))
    journal.close()
    assert [record.time_ms for record in reread(path)] == [3000]


KILLED = """
import sys
from pathlib import Path
from virtual_digiware.devices.records import Record
from virtual_digiware.simulator.journal import Identity, open_journal
journal = open_journal(Path(sys.argv[1]), Identity("demo", "f00d", 1))
t_ms = 0
while True:
    t_ms += 1
    journal.append(Record(t_ms, "write", "m70/i35", {"address": 1, "values": [t_ms]}))
    print(t_ms, flush=True)
"""


def test_what_was_acknowledged_before_a_kill_is_kept(path):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    acknowledged += [int(line) for line in rest.splitlines()]
    kept = [record.time_ms for record in reread(path)]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1
