"""The MIB file that describes the agent: made from the binding, shipped as text, for managers to load.

Ours, not the vendor's: its own name, its own module identity, and every description says what is simulated.
`python -m virtual_digiware.buses.snmp.mib` tells where the file is; with `--write` it is made anew, after a
change of the binding.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap

from virtual_digiware.devices.snmp_binding import (
    ObjectColumn,
    ObjectTable,
    Oid,
    Service,
    ServiceTable,
    SnmpBinding,
    snmp_binding,
)

MIB_NAME = "VIRTUAL-DIGIWARE-MIB"
MODULE_NUMBER = 9900
"""Where the module identity hangs under the vendor's branch: simulator numbering, out of the way of all
else."""
REVISION = "202601010000Z"

_WIDTH = 100
_ACCESS = {"read-only": "read-only", "read-write": "read-write", "not-accessible": "not-accessible"}
_MEASUREMENT_INDEX = ("productIndex", "loadNumber")
_PARTS = {0.1: ("Tenths", 1), 0.01: ("Hundredths", 2), 0.001: ("Thousandths", 3)}
_TITLES = {"instantaneous": "instantaneous values", "energy": "energy counters", "average": "averages"}


def mib_path() -> Path:
    """The shipped MIB file."""
    return Path(__file__).parent / "mibs" / f"{MIB_NAME}.txt"


def mib_text(binding: SnmpBinding | None = None) -> str:
    """The MIB file as the binding asks for it: SMIv2, RFC 2578 to 2580."""
    return "\n".join(_lines(binding or snmp_binding())) + "\n"


def _lines(binding: SnmpBinding) -> Iterator[str]:
    yield from _HEAD.splitlines()
    yield f"    ::= {{ simulatedProducts {MODULE_NUMBER} }}"
    yield ""
    yield f"simulatedVendor        OBJECT IDENTIFIER ::= {{ enterprises {binding.enterprise[-1]} }}"
    yield f"simulatedProducts      OBJECT IDENTIFIER ::= {{ simulatedVendor {binding.branch[-1]} }}"
    yield from _branches(binding)
    yield from _conventions(binding)
    for objects in binding.objects.values():
        yield from _object_table(objects, binding)
    for table in binding.tables.values():
        yield from _service_table(table, binding)
    yield from _scalar(binding)
    yield from _notifications(binding)
    yield from _conformance(binding)
    yield "END"


def _branches(binding: SnmpBinding) -> Iterator[str]:
    for name, number in (("productMetrology", 20), ("productAlarms", 30), ("productInputsOutputs", 40)):
        yield f"{name.ljust(22)} OBJECT IDENTIFIER ::= {{ simulatedProducts {number} }}"
    group = binding.notifications.alarm_on[-2]
    yield f"productNotifications   OBJECT IDENTIFIER ::= {{ productAlarms {group} }}"
    yield f"simulatorConformance   OBJECT IDENTIFIER ::= {{ simulatedProducts {MODULE_NUMBER + 1} }}"
    yield "simulatorGroups        OBJECT IDENTIFIER ::= { simulatorConformance 1 }"
    yield "simulatorCompliances   OBJECT IDENTIFIER ::= { simulatorConformance 2 }"


def _object_table(table: ObjectTable, binding: SnmpBinding) -> Iterator[str]:
    name = _camel(table.name)
    columns = sorted(table.columns.values(), key=lambda column: column.number)
    yield from _table_head(name, table.oid, table.label, table.index, binding)
    members = [(column.name, _base(column.syntax)) for column in columns]
    yield from _sequence(name, members)
    for column in columns:
        yield from _object_column(name, column)


def _object_column(table: str, column: ObjectColumn) -> Iterator[str]:
    yield ""
    yield f"{column.name} OBJECT-TYPE"
    yield f"    SYNTAX      {_spelled(column.syntax)}"
    yield f"    MAX-ACCESS  {_ACCESS[column.access]}"
    yield "    STATUS      current"
    yield from _description(f"{column.label}.")
    yield f"    ::= {{ {table}Entry {column.number} }}"


def _service_table(table: ServiceTable, binding: SnmpBinding) -> Iterator[str]:
    name = f"{table.name}Values"
    label = f"{_TITLES[table.name]}; what a product does not measure reads 0"
    yield from _table_head(name, table.oid, label, _MEASUREMENT_INDEX, binding)
    yield from _sequence(name, [(service.name, _hinted(service)) for service in table.services])
    for service in table.services:
        yield from _service(name, service)


def _service(table: str, service: Service) -> Iterator[str]:
    yield ""
    yield f"{service.name} OBJECT-TYPE"
    yield f"    SYNTAX      {_hinted(service)}"
    if service.unit:
        yield f'    UNITS       "{service.unit}"'
    yield "    MAX-ACCESS  read-only"
    yield "    STATUS      current"
    origin = "" if service.confidence == "confirmed" else " The number of this column is the simulator's."
    if service.confidence == "partial":
        origin = " The number of this column is the vendor's, its name is the simulator's."
    yield from _description(f"{service.label}.{origin}")
    yield f"    ::= {{ {table}Entry {service.number} }}"


def _table_head(name: str, oid: Oid, label: str, index: Iterable[str], binding: SnmpBinding) -> Iterator[str]:
    parent = _parent(oid, binding)
    yield ""
    yield f"{name}Table OBJECT-TYPE"
    yield f"    SYNTAX      SEQUENCE OF {_upper(name)}Entry"
    yield "    MAX-ACCESS  not-accessible"
    yield "    STATUS      current"
    yield from _description(f"{label}.")
    yield f"    ::= {{ {parent} {oid[-1]} }}"
    yield ""
    yield f"{name}Entry OBJECT-TYPE"
    yield f"    SYNTAX      {_upper(name)}Entry"
    yield "    MAX-ACCESS  not-accessible"
    yield "    STATUS      current"
    yield from _description(f"One row: {label}.")
    yield f"    INDEX       {{ {', '.join(index)} }}"
    yield f"    ::= {{ {name}Table 1 }}"
    yield ""


def _sequence(name: str, members: list[tuple[str, str]]) -> Iterator[str]:
    yield f"{_upper(name)}Entry ::= SEQUENCE {{"
    for at, (member, syntax) in enumerate(members, 1):
        yield f"    {member.ljust(32)} {syntax}{',' if at < len(members) else ''}"
    yield "}"


def _scalar(binding: SnmpBinding) -> Iterator[str]:
    yield ""
    yield "alarmActiveCount OBJECT-TYPE"
    yield "    SYNTAX      Gauge32"
    yield "    MAX-ACCESS  read-only"
    yield "    STATUS      current"
    yield from _description("How many alarms are active.")
    yield f"    ::= {{ productAlarms {binding.alarms_active[-1]} }}"


def _notifications(binding: SnmpBinding) -> Iterator[str]:
    objects = ", ".join(binding.notifications.objects)
    for name, oid, label in (
        (
            "alarmOn",
            binding.notifications.alarm_on,
            "An alarm is active: when it begins, and again while it lasts.",
        ),
        ("alarmOff", binding.notifications.alarm_off, "An alarm is finished."),
    ):
        yield ""
        yield f"{name} NOTIFICATION-TYPE"
        yield from (
            f"    {line}" for line in wrap(f"OBJECTS     {{ {objects} }}", _WIDTH, subsequent_indent=" " * 14)
        )
        yield "    STATUS      current"
        yield from _description(label)
        yield f"    ::= {{ productNotifications {oid[-1]} }}"


def _conformance(binding: SnmpBinding) -> Iterator[str]:
    groups = [
        ("productGroup", "Products, loads, inputs and outputs.", _accessible(binding, alarms=False)),
        ("alarmGroup", "Alarms.", [*_accessible(binding, alarms=True), "alarmActiveCount"]),
        *(
            (
                f"{table.name}Group",
                f"Measurements: {_TITLES[table.name]}.",
                [one.name for one in table.services],
            )
            for table in binding.tables.values()
        ),
    ]
    for number, (name, label, members) in enumerate(groups, 1):
        yield ""
        yield f"{name} OBJECT-GROUP"
        yield from (
            f"    {line}"
            for line in wrap(f"OBJECTS     {{ {', '.join(members)} }}", _WIDTH, subsequent_indent=" " * 14)
        )
        yield "    STATUS      current"
        yield from _description(label)
        yield f"    ::= {{ simulatorGroups {number} }}"
    yield ""
    yield "notificationGroup NOTIFICATION-GROUP"
    yield "    NOTIFICATIONS { alarmOn, alarmOff }"
    yield "    STATUS      current"
    yield from _description("Notifications of alarms.")
    yield f"    ::= {{ simulatorGroups {len(groups) + 1} }}"
    yield ""
    yield "simulatorCompliance MODULE-COMPLIANCE"
    yield "    STATUS      current"
    yield from _description("What the simulated agent shows.")
    yield "    MODULE"
    mandatory = ", ".join([*(name for name, _, _ in groups), "notificationGroup"])
    yield from (
        f"    {line}"
        for line in wrap(f"MANDATORY-GROUPS {{ {mandatory} }}", _WIDTH, subsequent_indent=" " * 6)
    )
    yield "    ::= { simulatorCompliances 1 }"
    yield ""


def _accessible(binding: SnmpBinding, *, alarms: bool) -> list[str]:
    return [
        column.name
        for table in binding.objects.values()
        if (table.name == "alarm") is alarms
        for column in table.columns.values()
        if column.access != "not-accessible"
    ]


def _parent(oid: Oid, binding: SnmpBinding) -> str:
    names = {20: "productMetrology", 30: "productAlarms", 40: "productInputsOutputs"}
    below = oid[len(binding.branch) :]
    return "simulatedProducts" if len(below) == 1 else names[below[0]]


def _description(text: str) -> Iterator[str]:
    yield "    DESCRIPTION"
    quoted = f'"{text[:1].upper()}{text[1:]}"'
    yield from wrap(quoted, _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 9)


def _hinted(service: Service) -> str:
    """The syntax of a column: a convention that shows the decimals, where the value counts parts of its
    unit."""
    part = _PARTS.get(service.scale)
    return service.syntax if part is None else f"{part[0]}{service.syntax}"


def _conventions(binding: SnmpBinding) -> Iterator[str]:
    used = {_hinted(service) for table in binding.tables.values() for service in table.services}
    for part, places in _PARTS.values():
        for syntax in ("Gauge32", "Integer32"):
            if f"{part}{syntax}" not in used:
                continue
            yield ""
            yield f"{part}{syntax} ::= TEXTUAL-CONVENTION"
            yield f'    DISPLAY-HINT "d-{places}"'
            yield "    STATUS       current"
            yield from _description(f"A number that counts {part.lower()} of its unit.")
            yield f"    SYNTAX       {syntax}"


def _base(syntax: str) -> str:
    """The type of a column as a SEQUENCE names it: without range or labels."""
    return re.split(r"[({]", syntax)[0]


def _spelled(syntax: str) -> str:
    spaced = (
        syntax.replace("(", " (", 1) if "{" not in syntax else syntax.replace("{", " { ").replace("}", " }")
    )
    return spaced.replace(",", ", ")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _upper(name: str) -> str:
    return name[0].upper() + name[1:]


_HEAD = f'''{MIB_NAME} DEFINITIONS ::= BEGIN

-- Objects of the SNMP agents that Virtual Digiware simulates.
--
-- This file was written for the simulator. It is not the MIB of SOCOMEC and says nothing about it: only the
-- branch, the table of instantaneous values, its index and the service of current I1 follow published facts;
-- all other numbers are the simulator's own.

IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises,
    Counter32, Counter64, Gauge32, Integer32, Unsigned32
        FROM SNMPv2-SMI
    TEXTUAL-CONVENTION, DisplayString, DateAndTime
        FROM SNMPv2-TC
    MODULE-COMPLIANCE, OBJECT-GROUP, NOTIFICATION-GROUP
        FROM SNMPv2-CONF;

virtualDigiware MODULE-IDENTITY
    LAST-UPDATED "{REVISION}"
    ORGANIZATION "The Virtual Digiware authors"
    CONTACT-INFO
        "The Virtual Digiware authors, see the home page of the project"
    DESCRIPTION
        "What a simulated gateway of the DIRIS Digiware range shows of the products on its bus.
         Independent of SOCOMEC."
    REVISION "{REVISION}"
    DESCRIPTION
        "First version."'''


def main(arguments: Sequence[str]) -> None:
    """Write the shipped file when asked to, and tell where it is."""
    if "--write" in arguments:
        mib_path().write_text(mib_text(), encoding="ascii")
    sys.stdout.write(f"{mib_path()}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
