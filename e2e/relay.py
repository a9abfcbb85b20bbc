"""How does a program in a network of its own reach a server outside of it?

By two relays and a Unix socket between them: files are common to both networks, addresses are not.
`python -m e2e.relay 127.0.0.1:6443 /tmp/socket` listens on the first and connects to the second; an address with
a slash is a Unix socket.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
CHUNK = 1 << 16


async def _connected(to: str) -> Pair:
    if "/" in to:
        return await asyncio.open_unix_connection(to)
    host, _, port = to.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


def _carry(to: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            there, back = await _connected(to)
            with contextlib.closing(back):
                both = [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))]
                try:
                    await asyncio.gather(*both)
                finally:
                    for each in both:
                        each.cancel()

    return carry


async def _relay(at: str, to: str) -> None:
    if "/" in at:
        server = await asyncio.start_unix_server(_carry(to), at)
    else:
        host, _, port = at.rpartition(":")
        server = await asyncio.start_server(_carry(to), host, int(port))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_relay(*sys.argv[1:3]))
