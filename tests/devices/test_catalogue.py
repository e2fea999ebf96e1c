"""Every refusal of the catalogue, on small files; the shipped files are read in test_products.py."""

from __future__ import annotations

import pytest

from virtual_digiware.devices.catalogue import Catalogue, CatalogueError, ProductUnknown, product, products

BLOCK = """\
block: meter
label: meter of one circuit
table: circuit.instantaneous
base: 1000
words: 8
repeat: {per: circuit, stride: 10, count: 3}
access: read
confidence: confirmed
source: Acme M3 guide
rows: |
  0  active_power_total  S32  1      W  | active power
  2  frequency           U32  0.001  Hz | frequency
"""
SETTINGS = """\
block: network
label: network settings
table: settings
base: 2000
words: 9
access: read_write
write_functions: [6, 16]
confidence: inferred
source: Acme M3 guide
enums: |
  network_type: 4 3P; 5 3P+N
initial: {network_type: 5}
rows: |
  0  network_type  U8              1  -
  1  site_name     STRING_NORM[8]  1  -
"""
PRODUCT = """\
product: acme-m3
label: three-phase meter
family: current
inputs: 3
confidence: confirmed
source: Acme M3 guide
slots: {circuit: 2}
blocks:
  all: [meter, network]
features:
  consumption_w: 0.5
"""


@pytest.fixture
def shelf(tmp_path):
    """Writes a catalogue of one product; each file can be changed by replacing one text by another."""

    def write(block=("", ""), settings=("", ""), product=("", "")):
        for folder, name, text, change in (
            ("blocks", "meter", BLOCK, block),
            ("blocks", "network", SETTINGS, settings),
            ("products", "acme-m3", PRODUCT, product),
        ):
            assert change[0] in text
            path = tmp_path / folder / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.replace(*change, 1) if change[0] else text + change[1], encoding="utf-8")
        return Catalogue(tmp_path)

    return write


def test_a_product_places_each_block_once_per_slot_by_address(shelf):
    acme = shelf()["acme-m3"]
    assert [(placed.block.name, placed.slot, placed.base, placed.end) for placed in acme.blocks] == [
        ("meter", 0, 1000, 1008),
        ("meter", 1, 1010, 1018),
        ("network", 0, 2000, 2009),
    ]
    assert acme.features == {"consumption_w": 0.5}


def test_a_loop_over_ranks_stands_for_its_rows(shelf):
    loop = "  for rank in 2..3, from 4 every 2:\n    0  harmonic_current_l1_h{rank}  U16  0.01  %\n"
    acme = shelf(block=("", loop))["acme-m3"]
    rows = {row.point: row.offset for row in acme.blocks[0].block.rows}
    assert rows["harmonic_current_l1_h2"] == 4
    assert rows["harmonic_current_l1_h3"] == 6


def test_a_product_can_reserve_points_and_make_a_block_read_only(shelf):
    more = "reserved_points:\n  meter: [frequency]\nread_only: [network]\n"
    acme = shelf(product=("features:\n", more + "features:\n"))["acme-m3"]
    meter, network = acme.blocks[0].block, acme.blocks[-1].block
    assert [row.point for row in meter.rows if row.reserved] == ["frequency"]
    assert (network.access, network.write_functions) == ("read", ())


def test_a_product_can_start_with_other_settings(shelf):
    more = "initial:\n  network: {network_type: 4}\n"
    network = shelf(product=("features:\n", more + "features:\n"))["acme-m3"].blocks[-1].block
    assert [row.initial for row in network.rows] == [4, 0]


def test_evidence_seen_on_another_product_does_not_count(shelf):
    change = ("| frequency\n", "| frequency | confirmed on acme-m9\n")
    row = shelf(block=change)["acme-m3"].blocks[0].block.rows[1]
    assert row.confidence == "inferred"
    seen_elsewhere = shelf(block=("source:", "seen_on: [acme-m9]\nsource:"))["acme-m3"]
    assert seen_elsewhere.blocks[0].block.confidence == "inferred"
    assert shelf(block=("source:", "seen_on: [acme-m3]\nsource:"))["acme-m3"].blocks[0].block.confidence == (
        "confirmed"
    )


REFUSED_BLOCKS = {
    "overlapping rows": (("2  frequency", "1  frequency"), "rows", "an offset of 2 or more"),
    "a row beyond the words": (("words: 8", "words: 3"), "words", "the 3 words"),
    "an unknown encoding": (("S32", "INT32"), "rows, line 1, encoding of active_power_total", "one of U8"),
    "a wrong size": (("S32", "S32[1]"), "rows, line 1, encoding of active_power_total", "takes 2 words"),
    "an unknown unit": (("Hz", "kHz"), "rows, line 2, unit of frequency", "Hz"),
    "a missing source": (("source: Acme M3 guide\n", ""), "source", "a text"),
    "a missing confidence": (("confidence: confirmed\n", ""), "confidence", "a text"),
    "an unknown confidence": (("confidence: confirmed", "confidence: sure"), "confidence", "inferred"),
    "overlapping slots": (("stride: 10", "stride: 7"), "repeat.stride", "8 or more"),
    "an unknown table": (("circuit.instantaneous", "circuit.now"), "table", "circuit.instantaneous"),
    "an unknown kind of slot": (("per: circuit", "per: load"), "repeat.per", "circuit"),
    "a point twice": (("2  frequency", "2  active_power_total"), "rows", "each point once"),
    "addresses that do not exist": (("base: 1000", "base: 65520"), "base", "up to 65535"),
    "a negative base": (("base: 1000", "base: -1"), "base", "from 0 to 65535"),
    "no words": (("words: 8\n", ""), "words", "a whole number"),
    "another name than the file's": (("block: meter", "block: metre"), "block", "meter"),
    "an unknown key": (("source:", "sauce: x\nsource:"), "sauce", "source"),
    "a missing column": (("  U32  0.001  Hz", "  U32  Hz"), "rows, line 2", "offset, point, encoding"),
    "a scale that is no number": (("0.001", "milli"), "rows, line 2", "a number as scale"),
    "no rows": (
        (BLOCK[BLOCK.index("rows: |") :], "rows: |\n  for n in 2..1, from 0 every 1:\n    0 a U16 1 -\n"),
        "rows",
        "at least one row",
    ),
    "write functions on a table to read": (
        ("source:", "write_functions: [6]\nsource:"),
        "write_functions",
        "read",
    ),
    "an unknown evidence": (("| frequency\n", "| frequency | seen on x\n"), "rows, line 2", "confirmed"),
    "slot confidence of another kind": (
        ("source:", "slot_confidence: {2: perhaps}\nsource:"),
        "slot_confidence.2",
        "inferred",
    ),
    "broken YAML": (("label: meter", "label: [meter"), "file", "well-formed YAML"),
    "a list instead of a mapping": (
        ("repeat: {per: circuit, stride: 10, count: 3}", "repeat: [1]"),
        "repeat",
        "mapping",
    ),
}


@pytest.mark.parametrize("what", REFUSED_BLOCKS)
def test_a_block_file_is_refused_for(shelf, what):
    change, key, right = REFUSED_BLOCKS[what]
    with pytest.raises(CatalogueError) as refusal:
        shelf(block=change)["acme-m3"]
    error = refusal.value
    assert (error.file, error.key) == ("meter.yaml", key)
    assert right in error.right
    assert str(error) == f"{error.file}: {error.key}: found {error.found}; right would be {error.right}"


REFUSED_SETTINGS = {
    "no write function": (("write_functions: [6, 16]\n", ""), "write_functions", "6, 16 or both"),
    "another write function": (("[6, 16]", "[6, 23]"), "write_functions", "6, 16 or both"),
    "an initial value outside its enumeration": (
        ("{network_type: 5}", "{network_type: 3}"),
        "initial.network_type",
        "4 (3P)",
    ),
    "an initial value beyond its encoding": (
        (
            "  network_type: 4 3P; 5 3P+N\ninitial: {network_type: 5}",
            "  network_type: 256 x\ninitial: {network_type: 256}",
        ),
        "initial.network_type",
        "from 0 to 255",
    ),
    "an initial text that is too long": (
        ("{network_type: 5}", "{site_name: seventeen_letters}"),
        "initial.site_name",
        "16 characters",
    ),
    "an initial value of a stranger": (("{network_type: 5}", "{voltage: 5}"), "initial.voltage", "a point"),
    "an enumeration of a stranger": (("  network_type: 4", "  voltage: 4"), "enums.voltage", "a point"),
    "an enumeration without numbers": (
        ("4 3P;", "three 3P;"),
        "enums.network_type",
        "a register value and its meaning",
    ),
    "an access of another kind": (("access: read_write", "access: rw"), "access", "read_write"),
    "a lock that is no claim": (("source:", "locked: maybe\nsource:"), "locked", "true or false"),
}


@pytest.mark.parametrize("what", REFUSED_SETTINGS)
def test_a_settings_file_is_refused_for(shelf, what):
    change, key, right = REFUSED_SETTINGS[what]
    with pytest.raises(CatalogueError) as refusal:
        shelf(settings=change)["acme-m3"]
    assert (refusal.value.file, refusal.value.key) == ("network.yaml", key)
    assert right in refusal.value.right


REFUSED_PRODUCTS = {
    "overlapping blocks": (
        ("slots: {circuit: 2}\n", "slots: {circuit: 3}\n"),
        "blocks",
        "no overlap with meter",
    ),
    "an unknown block": (("[meter, network]", "[meter, nothing]"), "blocks", "meter, network"),
    "a block twice": (("[meter, network]", "[meter, meter]"), "blocks", "each block once"),
    "an unknown family": (("family: current", "family: heat"), "family", "voltage"),
    "an unknown kind of slot": (("{circuit: 2}", "{load: 2}"), "slots.load", "circuit"),
    "slots that cannot be counted": (("{circuit: 2}", "{circuit: -2}"), "slots.circuit", "0 or more"),
    "reserving a stranger": (
        ("features:", "reserved_points:\n  meter: [voltage]\nfeatures:"),
        "reserved_points.meter",
        "points of that block",
    ),
    "reserving in a block that it lacks": (
        ("features:", "reserved_points:\n  heat: [voltage]\nfeatures:"),
        "reserved_points.heat",
        "a block of this product",
    ),
    "an initial value that does not fit": (
        ("features:", "initial:\n  network: {network_type: 9}\nfeatures:"),
        "initial.network.network_type",
        "5 (3P+N)",
    ),
    "another name than the file's": (("product: acme-m3", "product: acme-m4"), "product", "acme-m3"),
    "a missing source": (("source: Acme M3 guide\n", ""), "source", "a text"),
    "a feature that is a list": (
        ("consumption_w: 0.5", "consumption_w: [1]"),
        "features.consumption_w",
        "a number",
    ),
    "an unknown key": (("inputs: 3", "inputs: 3\noutputs: 3"), "outputs", "inputs"),
}


@pytest.mark.parametrize("what", REFUSED_PRODUCTS)
def test_a_product_file_is_refused_for(shelf, what):
    change, key, right = REFUSED_PRODUCTS[what]
    block = ("base: 1000", "base: 1980") if what == "overlapping blocks" else ("", "")
    with pytest.raises(CatalogueError) as refusal:
        shelf(block=block, product=change)["acme-m3"]
    assert (refusal.value.file, refusal.value.key) == ("acme-m3.yaml", key)
    assert right in refusal.value.right


def test_an_identity_must_fit_the_identification(shelf, tmp_path):
    change = ("features:", "identity:\n  vendor_name: ABCDE\nfeatures:")
    rows = "table: unit.identification\nbase: 2000\n"
    shelf(settings=("table: settings\nbase: 2000\n", rows), product=change)
    path = tmp_path / "blocks" / "network.yaml"
    path.write_text(
        path.read_text("utf-8").replace("site_name     STRING_NORM[8]", "vendor_name STRING_16[4]"), "utf-8"
    )
    with pytest.raises(CatalogueError) as refusal:
        Catalogue(tmp_path)["acme-m3"]
    assert refusal.value.key == "identity.vendor_name"
    assert "4 characters" in refusal.value.right


def test_an_unknown_product_is_refused_with_the_known_names():
    with pytest.raises(ProductUnknown) as refusal:
        product("I-99")
    assert isinstance(refusal.value, KeyError)
    assert refusal.value.known == tuple(products())
    assert str(refusal.value).startswith("no product 'I-99'; known are A-10, A-40, ATyS-C65, B-30, C-31")


def test_looking_at_the_names_loads_no_product(tmp_path):
    (tmp_path / "products").mkdir()
    (tmp_path / "products" / "acme-m3.yaml").write_text("[", "utf-8")
    catalogue = Catalogue(tmp_path)
    assert list(catalogue) == ["acme-m3"]
    assert len(catalogue) == 1
    assert "acme-m3" in catalogue
    assert catalogue.block_names() == ()


def test_a_product_is_read_once(shelf):
    catalogue = shelf()
    assert catalogue["acme-m3"] is catalogue["acme-m3"]
    assert catalogue.block("meter").repeat.count == 3
