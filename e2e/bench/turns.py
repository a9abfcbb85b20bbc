"""When did another version begin to answer? `python -m e2e.bench.turns ADDRESS HOST` asks without end, and says so."""

import asyncio
import sys
import time

from e2e.load import Client, request
from e2e.pod_server import VERSION

PAUSE = 0.001  # seconds between an answer and the next request


async def tell(address: str, host: str) -> None:
    """Print seconds since 1970 and a version at each answer whose version isn't that of the one before."""
    client, before = Client(address, request(host, "/", ())), ""
    while True:
        version = (await client.ask(anew=False))[VERSION.lower()]
        if version != before:
            print(time.time(), version, flush=True)
        before = version
        await asyncio.sleep(PAUSE)


if __name__ == "__main__":
    asyncio.run(tell(*sys.argv[1:]))
