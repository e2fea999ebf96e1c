"""What holds for every picture: things are apart from each other, and inside of what holds them."""

from __future__ import annotations

from itertools import combinations

from tests.diagram.geometry_of import wire_boxes, word_boxes
from virtual_digiware.simulator.diagram.geometry import Box, Page
from virtual_digiware.simulator.diagram.parts import Device

_NEAR = 4.0


def overlapping(boxes: list[Box]) -> list[tuple[Box, Box]]:
    return [(one, other) for one, other in combinations(boxes, 2) if one.meets(other)]


def no_two_boxes_overlap(drawn: Page) -> None:
    assert not overlapping([thing.box for thing in (*drawn.placed, *drawn.samples)])
    assert not overlapping([frame.box for frame in drawn.frames])


def every_device_stands_in_one_cabinet(drawn: Page) -> None:
    cabinets = [frame.box for frame in drawn.frames if frame.kind == "cabinet"]
    devices = [placed.box for placed in drawn.placed if isinstance(placed.what, Device)]
    assert devices
    assert all(sum(cabinet.holds(device) for cabinet in cabinets) == 1 for device in devices)


def words_stay_in_their_boxes(drawn: Page) -> None:
    for owner in (*drawn.frames, *drawn.placed):
        for text in owner.texts:
            assert owner.box.holds(text.box), text.text
    legend = drawn.frames[-1].box
    assert all(legend.holds(sample.text.box) and legend.holds(sample.box) for sample in drawn.samples)


def no_two_words_overlap(drawn: Page) -> None:
    assert not overlapping(word_boxes(drawn))


def nothing_is_beside_the_page(drawn: Page) -> None:
    sheet = Box(-1, -1, drawn.width + 2, drawn.height + 2)
    things = [owner.box for owner in (*drawn.frames, *drawn.placed)]
    assert all(sheet.holds(box) for box in [*things, *word_boxes(drawn), *(b for _, b in wire_boxes(drawn))])


def no_wire_crosses_a_device_or_a_word(drawn: Page) -> None:
    obstacles = [thing.box for thing in (*drawn.placed, *drawn.samples)] + word_boxes(drawn)
    for wire, box in wire_boxes(drawn):
        assert not [obstacle for obstacle in obstacles if box.meets(obstacle)], wire


def no_wire_runs_on_top_of_another_or_right_beside_it(drawn: Page) -> None:
    """They may cross. The branches of a supply share their way on purpose."""
    shown = [(wire, box) for wire, box in wire_boxes(drawn) if wire.medium != "supply"]
    for (one, box), (other, other_box) in combinations(shown, 2):
        if (box.width > box.height) == (other_box.width > other_box.height):
            across, down = (0.0, _NEAR) if box.width > box.height else (_NEAR, 0.0)
            near = Box(box.x - across, box.y - down, box.width + 2 * across, box.height + 2 * down)
            assert one is other or not near.meets(other_box), (one, other)


CLAIMS = (
    no_two_boxes_overlap,
    every_device_stands_in_one_cabinet,
    words_stay_in_their_boxes,
    no_two_words_overlap,
    nothing_is_beside_the_page,
    no_wire_crosses_a_device_or_a_word,
    no_wire_runs_on_top_of_another_or_right_beside_it,
)
