"""Keys and ciphers of v3 users."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from hypothesis import given
from hypothesis import strategies as st

from virtual_digiware.buses.snmp.settings import Community, Destination, SnmpSettings, User
from virtual_digiware.buses.snmp.usm import AesCfb, Digest, LocalUser, localized_key

ENGINE = bytes.fromhex("000000000000000000000002")
RFC_3414_KEYS = [  # appendix A.3: password "maplesyrup"
    ("MD5", "526f5eed9fcce26f8964c2930787d82b"),
    ("SHA1", "6695febc9288e36282235fc7151f128497b38f3f"),
]


@pytest.mark.parametrize(("auth", "key"), RFC_3414_KEYS)
def test_keys_are_those_of_the_standards_example(auth, key):
    assert localized_key(auth, "maplesyrup", ENGINE).hex() == key


@pytest.mark.parametrize(
    ("auth", "name", "size"),
    [("MD5", "md5", 12), ("SHA1", "sha1", 12), ("SHA224", "sha224", 16), ("SHA256", "sha256", 24),
     ("SHA384", "sha384", 32), ("SHA512", "sha512", 48)],
)  # fmt: skip
@given(message=st.binary(max_size=300))
def test_digests_are_hmacs_cut_to_their_size(auth, name, size, message):
    key = hashlib.new(name, b"key").digest()
    assert Digest(auth, key).of(message) == hmac.new(key, message, name).digest()[:size]


@given(
    key=st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32),
    data=st.binary(max_size=200),
)
def test_the_cipher_is_aes_in_cfb_mode(key, data):
    iv = bytes(range(16))
    reference = Cipher(AES(key), CFB(iv)).encryptor()
    encrypted = reference.update(data) + reference.finalize()
    cipher = AesCfb(key)
    assert cipher.encrypt(iv, data) == encrypted
    assert cipher.decrypt(iv, encrypted) == data


def test_users_whose_algorithms_the_short_path_lacks_are_known():
    assert LocalUser(User("a", "read", "SHA256", "12345678", "AES256", "12345678"), ENGINE).is_plain
    assert not LocalUser(User("a", "read", "SHA1", "12345678", "AES256", "12345678"), ENGINE).is_plain
    assert not LocalUser(User("a", "read", "SHA1", "12345678", "DES", "12345678"), ENGINE).is_plain


@pytest.mark.parametrize(
    "make",
    [
        lambda: User("a", "read", "SHA1", "short"),
        lambda: User("a", "read", None, "", "AES128", "12345678"),
        lambda: User("", "read"),
        lambda: Community("", "v1"),
        lambda: Community("x" * 65, "v1"),
        lambda: Destination("127.0.0.1", version="v1", is_inform=True),
        lambda: SnmpSettings(destinations=(Destination("127.0.0.1"),) * 3),
        lambda: SnmpSettings(destinations=(Destination("127.0.0.1", version="v3", name="nobody"),)),
        lambda: SnmpSettings(users=(User("a"), User("a"))),
    ],
)
def test_settings_that_cannot_be_are_refused(make):
    with pytest.raises(ValueError, match=r"\w"):
        make()
