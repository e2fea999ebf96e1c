"""Rules of the Digiware bus: how many modules, how much cable, which addresses."""

from __future__ import annotations

from collections.abc import Iterator

from virtual_digiware.buses.digiware import MAX_LENGTH_M, MAX_MODULES
from virtual_digiware.simulator.addressing import addressed_modules, addressed_sensors, gateway_address
from virtual_digiware.simulator.bus_chain import bus_segments
from virtual_digiware.simulator.bus_checks import family_of
from virtual_digiware.simulator.rules.rule import NOTE, Broken, rule
from virtual_digiware.simulator.site_models import Site


@rule("bus-modules", "error", f"{NOTE}, glossary")
def bus_modules(site: Site) -> Iterator[Broken]:
    """A head has at most 32 modules. Repeaters are not counted, which is a choice."""
    for index, gateway in enumerate(site.gateways):
        modules = addressed_modules(gateway)
        for one in modules[MAX_MODULES : MAX_MODULES + 1]:
            yield Broken(
                ("gateways", index, "bus", one.position),
                f"{len(modules)} modules behind {gateway.name}",
                f"at most {MAX_MODULES}: from {one.module.name} on they need a head of their own, say a C-31",
            )


@rule("bus-length", "error", f"{NOTE}, figures 8, 10, 11, 14, 19 and 25")
def bus_length(site: Site) -> Iterator[Broken]:
    """A bus is at most 100 m long, couplers counted as cable, and as much again behind each C-32."""
    for index, gateway in enumerate(site.gateways):
        for segment in bus_segments(gateway):
            if segment.length_m > MAX_LENGTH_M:
                yield Broken(
                    ("gateways", index, "bus"),
                    f"{segment.length_m:g} m of bus cable behind {segment.feeder.name}",
                    f"at most {MAX_LENGTH_M:g} m, then a C-32 repeater in the `bus`",
                )


@rule("bus-addresses", "error", "DIRIS Digiware M-50/M-70 manual 548751C, page 46")
def bus_addresses(site: Site) -> Iterator[Broken]:
    """A head, the modules of its bus and its sensors have Modbus addresses of their own."""
    for index, gateway in enumerate(site.gateways):
        own = gateway_address(gateway)
        taken = {} if own is None else {own: f"the gateway {gateway.name} itself"}
        devices: list[tuple[str, int, str, int]] = [
            ("bus", position, module.name, address)
            for position, module, address in addressed_modules(gateway)
        ]
        devices += [
            ("sensors", position, sensor.name, address)
            for position, sensor, address in addressed_sensors(gateway)
        ]
        for key, position, name, address in devices:
            if address in taken:
                yield Broken(
                    ("gateways", index, key, position, "address"),
                    str(address),
                    f"an address of its own; {taken[address]} already has {address}",
                )
            taken.setdefault(address, name)


@rule("bus-transfer-controller", "error", f"{NOTE}, figures 35 and 36")
def bus_transfer_controller(site: Site) -> Iterator[Broken]:
    """An ATyS C65 is on the bus of a D-50, D-70, M-50 or M-70; a C-31 does not read it."""
    for index, gateway in enumerate(site.gateways):
        for position, module in enumerate(gateway.bus):
            if family_of(module.product) == "transfer_switch" and family_of(gateway.product) == "interface":
                yield Broken(
                    ("gateways", index, "bus", position, "product"),
                    f"a {module.product} behind a {gateway.product}",
                    f"{module.name} on the bus of a D-50, D-70, M-50 or M-70",
                )


@rule("bus-termination", "note", "manuals ISOM 546780C page 54, RCM 551066A page 53, 545830B page 37")
def bus_termination(site: Site) -> Iterator[Broken]:
    """The last device of a Digiware bus carries a terminating plug."""
    for index, gateway in enumerate(site.gateways):
        if gateway.bus:
            last = len(gateway.bus) - 1
            yield Broken(
                ("gateways", index, "bus", last),
                f"{gateway.bus[last].name} is the last on the bus of {gateway.name}",
                "nothing in the file; the terminating plug belongs here",
            )


RULES = (bus_modules, bus_length, bus_addresses, bus_transfer_controller, bus_termination)
