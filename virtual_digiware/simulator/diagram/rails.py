"""Networks as rails above the cabinets: clients over them, a lane for each, drops to the devices below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from virtual_digiware.simulator.diagram.geometry import Placed, Point, Text, Wire
from virtual_digiware.simulator.diagram.parts import Client, Network
from virtual_digiware.simulator.diagram.rooms import PORT_OFFSETS, Rooms
from virtual_digiware.simulator.diagram.text_fit import text_width
from virtual_digiware.simulator.diagram.tiles import CLIENT_HEIGHT, CLIENT_WIDTH, client_tile

LANE = 36.0
CLIENT_GAP = 24.0
_ABOVE_FIRST, _BELOW_LAST = 26.0, 24.0
_APART = 8.0
"""Least distance of two drops beside each other."""
_TITLE, _NOTE = 11.0, 9.5


@dataclass(frozen=True, slots=True)
class Rails:
    """Clients and networks, placed."""

    clients: tuple[Placed, ...]
    wires: tuple[Wire, ...]
    texts: tuple[Text, ...]


def gutter_width(networks: Sequence[Network]) -> float:
    """Room at the left for what the networks are called."""
    widths = [text_width(one.title, _TITLE, True) for one in networks]
    widths += [text_width(one.note, _NOTE) for one in networks]
    return max(widths, default=-24.0) + 24.0


def clients_width(clients: Sequence[Client]) -> float:
    return len(clients) * (CLIENT_WIDTH + CLIENT_GAP) - CLIENT_GAP


def rails_height(clients: Sequence[Client], networks: Sequence[Network]) -> float:
    """How much is needed above the cabinets, if each network gets a lane of its own."""
    above = CLIENT_HEIGHT if clients else 0.0
    lanes = _ABOVE_FIRST + LANE * (len(networks) - 1) if networks else 0.0
    return above + lanes + (_BELOW_LAST if clients or networks else 0.0)


def with_drops(networks: Sequence[Network]) -> frozenset[str]:
    return frozenset(key for network in networks for key in network.members)


def place_rails(
    clients: Sequence[Client],
    networks: Sequence[Network],
    rooms: Rooms,
    top: float,
    left: float,
    right: float,
) -> Rails:
    """Place clients between `left` and `right`, from `top` downward, and the networks below them."""
    ports = {network: dict(_ports(network, rooms)) for network in networks}
    seats = dict(_client_lefts(clients, ports, left, right))
    placed = tuple(client_tile(client, seats[client.key], top) for client in clients)
    for network, xs in ports.items():
        others = [x for one, taken in ports.items() if one is not network for x in taken.values()]
        for key in network.members:
            if key in seats:
                xs[key] = _client_port(seats[key] + CLIENT_WIDTH / 2, list(xs.values()), others)
    first = top + (CLIENT_HEIGHT if clients else 0.0) + _ABOVE_FIRST
    lanes = _lanes(networks, ports)
    wires, texts = [], []
    for network in networks:
        y = first + LANE * lanes[network]
        xs = ports[network]
        wires.append(_rail(network, y, xs))
        for key, x in xs.items():
            end = top + CLIENT_HEIGHT if key in seats else rooms.seats[key].box.y
            wires.append(Wire(network.medium, (Point(x, end), Point(x, y))))
    for network in {lanes[one]: one for one in reversed(networks)}.values():
        y = first + LANE * lanes[network]
        texts.append(Text(Point(0, y), network.title, _TITLE, True, tone=network.medium))
        if network.note:
            texts.append(Text(Point(0, y + 12), network.note, _NOTE, tone="soft"))
    return Rails(placed, tuple(wires), tuple(texts))


def _rail(network: Network, y: float, xs: Mapping[str, float]) -> Wire:
    joints = tuple(Point(x, y) for x in sorted(xs.values()))
    return Wire(network.medium, (joints[0], joints[-1]), joints)


def _ports(network: Network, rooms: Rooms) -> Iterator[tuple[str, float]]:
    for key in network.members:
        if key in rooms.tops:
            yield key, rooms.seats[key].box.right - PORT_OFFSETS[network.medium]


def _client_lefts(
    clients: Sequence[Client], ports: Mapping[Network, Mapping[str, float]], left: float, right: float
) -> Iterator[tuple[str, float]]:
    """Each client above the middle of what it asks, if the others allow it; those on lines at the right."""
    step = CLIENT_WIDTH + CLIENT_GAP
    wanted: list[tuple[bool, float, int, str]] = []
    for rank, client in enumerate(clients):
        asked, is_on_line = [left], False  # of a client whom nobody could answer
        for network, xs in ports.items():
            if client.key in network.members:
                asked = [xs[key] for key in client.asks if key in xs] or list(xs.values()) or asked
                is_on_line = network.medium == "rs485"
        wanted.append((is_on_line, (min(asked) + max(asked)) / 2, rank, client.key))
    wanted.sort()
    found: list[float] = []
    for number, (_, middle, _, _) in enumerate(wanted):
        alike = [place for place, one in enumerate(wanted) if one[1] == middle]
        shift = (number - (alike[0] + alike[-1]) / 2) * step
        found.append(max(middle + shift - CLIENT_WIDTH / 2, found[-1] + step if found else left))
    limit = right - CLIENT_WIDTH
    for index in reversed(range(len(found))):
        found[index] = min(found[index], limit)
        limit = found[index] - step
    for (_, _, _, key), x in zip(wanted, found, strict=True):
        yield key, x


def _client_port(x: float, own: Sequence[float], others: Sequence[float]) -> float:
    """Where a client's drop leaves: straight above a near one of its network, clear of all others."""
    near = [one for one in own if abs(one - x) < CLIENT_WIDTH / 3]
    if near:
        return min(near, key=lambda one: abs(one - x))
    while any(abs(x - other) < _APART for other in others):
        x += 1.0
    return x


def _lanes(networks: Sequence[Network], ports: Mapping[Network, Mapping[str, float]]) -> dict[Network, int]:
    """Networks of one name and kind share a lane where they lie beside each other."""
    lanes: dict[Network, int] = {}
    count = 0
    for network in networks:
        alike = [one for one in lanes if (one.title, one.note) == (network.title, network.note)]
        shared = sorted({lanes[one] for one in alike})
        for lane in shared:
            if not any(_overlap(ports[network], ports[one]) for one in alike if lanes[one] == lane):
                lanes[network] = lane
                break
        else:
            lanes[network] = count
            count += 1
    return lanes


def _overlap(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return min(one.values()) <= max(other.values()) and min(other.values()) <= max(one.values())
