import pytest

from virtual_digiware.devices.encodings import ENCODINGS, EncodingUnknown, sized

RANGES = [  # name, words, lowest and highest register value
    ("U8", 1, 0, 255),
    ("U16", 1, 0, 65535),
    ("S16", 1, -32768, 32767),
    ("U32", 2, 0, 4294967295),
    ("S32", 2, -2147483648, 2147483647),
    ("S64", 4, -9223372036854775808, 9223372036854775807),
    ("DATETIME", 2, 0, 4294967295),
    ("DATETIME_3", 3, 0, 281474976710655),
]


@pytest.mark.parametrize(("name", "words", "lowest", "highest"), RANGES)
def test_an_encoding_has_its_size_and_range(name, words, lowest, highest):
    encoding = ENCODINGS[name]
    assert (encoding.words, encoding.minimum, encoding.maximum) == (words, lowest, highest)
    assert encoding.is_signed == (lowest < 0)


def test_a_text_takes_the_words_that_its_row_gives():
    assert sized("STRING_16[4]") == (ENCODINGS["STRING_16"], 4)
    assert sized("STRING_NORM[8]") == (ENCODINGS["STRING_NORM"], 8)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("INT32", "one of U8"),
        ("S32[3]", "takes 2 words"),
        ("STRING_NORM", "a length"),
        ("STRING_NORM[0]", "a length"),
        ("u16", "one of U8"),
        ("", "one of U8"),
    ],
)
def test_a_wrong_encoding_is_refused_with_what_would_be_right(text, right):
    with pytest.raises(EncodingUnknown) as refusal:
        sized(text)
    assert refusal.value.found == text
    assert right in refusal.value.right
