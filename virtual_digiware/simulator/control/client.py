"""The command line's side of the control API: one request, one answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from virtual_digiware.simulator.control.token import VARIABLE, default_file, known_token

PATIENCE_S = 600
"""A leap over months takes its time."""


class ControlRefused(Exception):
    """The running site does not do what is asked; the message is its own."""


def ask(
    port: int,
    token_file: Path | None,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    query: dict[str, str] | None = None,
) -> Any:
    """The answer of the site on a port of this machine.

    Raises:
        ControlRefused: It refuses.
        OSError: There is no token, or nobody answers.
    """
    token = known_token(token_file)
    if token is None:
        where = token_file or default_file()
        raise ControlRefused(f"no token: {where} does not exist and {VARIABLE} is not set")
    address = f"http://127.0.0.1:{port}{path}" + (f"?{urlencode(query)}" if query else "")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(address, data, headers, method=method), timeout=PATIENCE_S) as answer:
            return json.load(answer)
    except HTTPError as error:
        with error:
            text = error.read().decode("utf-8", "replace")
        try:
            detail = json.loads(text)["detail"]
        except (ValueError, KeyError, TypeError):
            detail = text or str(error)
        raise ControlRefused(detail if isinstance(detail, str) else json.dumps(detail)) from error


def parameters(given: list[str]) -> dict[str, Any]:
    """`name=value` pairs; a value that is JSON is what it says, any other a text. Raises ValueError."""
    found: dict[str, Any] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise ValueError(f"{one!r}; right would be NAME=VALUE")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
