"""What a built site makes of its file."""

from virtual_digiware.buses.modbus.image import Images
from virtual_digiware.simulator.building import Building
from virtual_digiware.simulator.site_file import parse_site

SITE = """\
extends: single
site: slow
lines:
  line1: {pty: /tmp/not-opened, baudrate: 9600, parity: even, stop_bits: 2}
"""


def test_modules_behind_a_line_show_its_settings():
    model = Building(parse_site(SITE), 0).model
    model.publish(model.compute(0))
    module = next(unit for unit in model.units.values() if unit.product.family == "current")
    words = Images(model).of(module).read(57345, 3)  # baud rate 3: 9600; stop bits 1: two; parity 2: even
    assert words is not None
    assert [int.from_bytes(words[at : at + 2], "big") for at in (0, 2, 4)] == [3, 1, 2]
