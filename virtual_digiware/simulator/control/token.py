"""The token that every client of the control API shows: from the environment, or from a private file."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "VDIGIWARE_CONTROL_TOKEN"
SHORTEST = 16


class TokenRefused(OSError):
    """There is no token that could protect anything; the message says what would be right."""


def default_file() -> Path:
    """Where the token lies unless told otherwise, so that the command line finds it too."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "vdigiware" / "control-token"


def known_token(file: Path | None) -> str | None:
    """The token of the file, else of the environment, else of the default file; None where there is none.

    Raises:
        TokenRefused: It is too short, or others may read its file.
    """
    if file is None and VARIABLE in os.environ:
        return _checked(os.environ[VARIABLE], VARIABLE)
    place = file or default_file()
    if not place.exists():
        return None
    if place.stat().st_mode & 0o077:
        raise TokenRefused(f"{place} may be read by others; right would be mode 600 (chmod 600 {place})")
    return _checked(place.read_text(encoding="ascii").strip(), str(place))


def make_token(file: Path | None) -> str:
    """A new token, in a file that only its owner can read. Raises OSError."""
    place = file or default_file()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = os.urandom(32).hex()
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(token + "\n")
    return token


def _checked(token: str, where: str) -> str:
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable():
        raise TokenRefused(f"{where}: the token is too short; right would be {SHORTEST} characters or more")
    return token
