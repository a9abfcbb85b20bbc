"""How many of many requests did each version answer, and did any fail?

`python -m e2e.load ADDRESS` asks until it is told to end, or so many times, and prints what came of it. A client
of its own: nothing is asked twice, so that nothing that went wrong is hidden.
"""

import argparse
import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from e2e.pod_server import POD, VERSION

PATIENCE = 15.0  # seconds that a request may take


class RequestError(Exception):
    """A request that wasn't answered well."""


@dataclass
class Count:
    """What came of all requests."""

    versions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    pods: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)  # when a version answered first, seconds since 1970
    changes: Counter[str] = field(default_factory=Counter)  # a user's answer came from another version than the last

    def as_json(self) -> str:
        return json.dumps({**self.__dict__, "failures": dict(self.failures)})


class Client:
    """One user: a connection that is kept, or a new one for each request; cookies are kept only if that is wanted."""

    def __init__(self, address: str, request: bytes, *, keeps_cookies: bool = False) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._request = request
        self._cookies = dict[str, str]() if keeps_cookies else None
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, *, anew: bool) -> dict[str, str]:
        """The headers of an answer."""
        if anew:
            self.close()
        if self._open is None:
            self._open = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._open
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(self._with_cookies())
                headers = await self._read(reader)
        except BaseException:
            self.close()
            raise
        if headers.get("connection") == "close":
            self.close()
        if self._cookies is not None and (told := headers.get("set-cookie")):
            name, _, value = told.partition(";")[0].partition("=")
            self._cookies[name] = value
        return headers

    def _with_cookies(self) -> bytes:
        if not self._cookies:
            return self._request
        pairs = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return self._request.removesuffix(b"\r\n") + f"Cookie: {pairs}\r\n\r\n".encode()

    def close(self) -> None:
        """Let go of the connection."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    async def _read(self, reader: asyncio.StreamReader) -> dict[str, str]:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status = first.split(" ")[1]
        if status != "200":
            raise RequestError(f"{status} {body.decode(errors='replace')}".strip())
        return headers


class Load:
    """Many users at once; requests are counted, whatever comes of them."""

    def __init__(self, address: str, request: bytes, options: argparse.Namespace) -> None:
        self._address = address
        self._request = request
        self._keeps_cookies: bool = options.cookies
        self._left: int | None = options.requests
        self._anew: float = options.anew
        self._users: int = options.users
        self._pause = self._users / options.rate if options.rate else 0.0
        self._ended = asyncio.Event()
        self.count = Count()

    async def run(self) -> None:
        """Ask until it is enough."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._ended.set)
        await asyncio.gather(*(self._user() for _ in range(self._users)))

    async def _user(self) -> None:
        client = Client(self._address, self._request, keeps_cookies=self._keeps_cookies)
        before = ""
        while self._goes_on():
            version = await self._ask(client)
            if version and before and version != before:
                self.count.changes[f"{before} {version}"] += 1
            before = version or before
            if self._pause:
                await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        client.close()

    def _goes_on(self) -> bool:
        if self._ended.is_set() or self._left == 0:
            return False
        if self._left is not None:
            self._left -= 1
        return True

    async def _ask(self, client: Client) -> str:
        """The version that answered; empty when none did."""
        count = self.count
        try:
            headers = await client.ask(anew=random.random() < self._anew)  # noqa: S311 - no secret
        except (OSError, EOFError, RequestError, TimeoutError) as error:
            count.failures[f"{type(error).__name__}: {error}"] += 1
            return ""
        version = headers[VERSION.lower()]
        count.versions[version] += 1
        count.pods[headers[POD.lower()]] += 1
        count.first.setdefault(version, time.time())
        return version


def request(host: str, path: str, headers: Sequence[str]) -> bytes:
    """What is sent."""
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode()


async def _run(options: argparse.Namespace) -> None:
    load = Load(options.address, request(options.host, options.path, options.header), options)
    await load.run()
    print(load.count.as_json(), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m e2e.load", description="Ask many times, count the answers")
    parser.add_argument("address")
    parser.add_argument("--host", required=True)
    parser.add_argument("--path", default="/")
    parser.add_argument("--header", action="append", default=[], help="as `Name: value`")
    parser.add_argument("--cookies", action="store_true", help="each user sends back the cookies that were set")
    parser.add_argument("--requests", type=int, help="how many; until SIGTERM if not given")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--anew", type=float, default=0.2, help="share of requests on connections of their own")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; as fast as it goes if not given")
    return parser


if __name__ == "__main__":
    asyncio.run(_run(_parser().parse_args()))
