"""A Mosquitto of the test's own, and mosquitto_sub, for which every message is what anybody would receive."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.external import require_program
from tests.ports import free_ports

PATIENCE_S = 20


@dataclass
class Broker:
    """Starts, stops and starts again on the same port; what it retains survives in `folder`."""

    folder: Path
    settings: str = "allow_anonymous true"
    port: int = field(default_factory=free_ports)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\n{self.settings}\nuser root\n"
            f"persistence true\npersistence_location {self.folder}/\n",
            encoding="utf-8",
        )
        program = require_program("mosquitto")
        self.process = await asyncio.create_subprocess_exec(
            program, "-v", "-c", str(config),
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"running" not in (line := await self.process.stderr.readline()):
                assert line, "mosquitto did not start"
        self._reading = asyncio.create_task(self._drain(self.process.stderr), name="mosquitto")

    async def _drain(self, stream: asyncio.StreamReader) -> None:
        while await stream.readline():
            pass

    async def stop(self) -> None:
        if self.process is not None:
            if self.process.returncode is None:
                self.process.terminate()
            await self.process.wait()
            await self._reading
            self.process = None


@asynccontextmanager
async def broker(folder: Path, settings: str = "allow_anonymous true") -> AsyncIterator[Broker]:
    """A broker that runs."""
    one = Broker(folder, settings)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@dataclass
class Received:
    topic: str
    payload: Any


class Subscriber:
    """mosquitto_sub; `until` waits for the message that fits, all before it are kept in `seen`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.seen: list[Received] = []

    async def until(self, fits: Callable[[Received], bool]) -> Received:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self._process.stdout.readline():
                topic, _, payload = line.decode().partition(" ")
                one = Received(topic, json.loads(payload) if payload.strip() else None)
                self.seen.append(one)
                if fits(one):
                    return one
        raise AssertionError("mosquitto_sub ended")


@asynccontextmanager
async def subscribed(port: int, topic: str, *options: str) -> AsyncIterator[Subscriber]:
    """mosquitto_sub on a topic, with its subscription in place."""
    program = require_program("mosquitto_sub")
    process = await asyncio.create_subprocess_exec(
        program, "-h", "127.0.0.1", "-p", str(port), "-t", topic, "-v", "-q", "1", *options,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )  # fmt: skip
    try:
        yield Subscriber(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def certificates(folder: Path) -> None:
    """An authority and a broker's certificate for 127.0.0.1, made with openssl."""
    openssl = require_program("openssl")

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True, timeout=30)

    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt",
        "-days", "2", "-subj", "/CN=test authority")  # fmt: skip
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "broker.key", "-out", "broker.csr",
        "-subj", "/CN=127.0.0.1")  # fmt: skip
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n", encoding="utf-8")
    run("x509", "-req", "-in", "broker.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "names", "-out", "broker.crt")  # fmt: skip
