"""How does a compiled plugin's program get here? Copied or downloaded, checked, and only then made executable.

What is run is our own copy: nobody can exchange it after it was checked.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import aiohttp

from rollouts.compiled.config import Entry

LARGEST = 512 * 1024 * 1024
FETCH_LIMIT = 600.0
_CHUNK = 1024 * 1024
_MOST_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})

Headers = Callable[[str], Awaitable[Mapping[str, str]]]
"""Returns the headers that a Secret holds. Raises ProgramError."""


class ProgramError(Exception):
    """A program can't be had; the message says why, and what to do."""


async def fetch_program(entry: Entry, folder: Path, headers: Headers) -> Path:
    """Return an entry's program, in a folder of ours. Raises ProgramError."""
    scheme, _, rest = entry.location.partition("://")
    data = _read(Path(unquote(rest))) if scheme == "file" else _downloaded(entry, headers)
    target = folder / hashlib.sha256(f"{entry.kind.name} {entry.name}".encode()).hexdigest()[:16]
    try:
        async with asyncio.timeout(FETCH_LIMIT):
            await _keep(data, target, entry)
    except TimeoutError:
        raise ProgramError(f"{entry.location} wasn't there within {FETCH_LIMIT:g} seconds") from None
    except OSError as error:
        where = entry.location if scheme == "file" else str(target)
        raise ProgramError(f"{where}: {error.strerror or type(error).__name__}") from error
    return target


async def _keep(data: AsyncIterator[bytes], target: Path, entry: Entry) -> None:
    """Write a program where it is run from, all of it or nothing."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        try:
            async for chunk in _checked(data, entry):
                await asyncio.to_thread(file.write, chunk)
            file.close()
            await asyncio.to_thread(_put, file.name, target)
        except BaseException:
            os.unlink(file.name)  # noqa: PTH108 - Path has no quicker way
            raise


async def _checked(data: AsyncIterator[bytes], entry: Entry) -> AsyncIterator[bytes]:
    """Yield the same, as long as it may be the entry's program. Raises ProgramError, in the end if it isn't."""
    digest, size = hashlib.sha256(), 0
    async for chunk in data:
        size += len(chunk)
        if size > LARGEST:
            raise ProgramError(f"{entry.location} has more than {LARGEST} bytes: is it a program?")
        digest.update(chunk)
        yield chunk
    if entry.sha256 and digest.hexdigest() != entry.sha256:
        raise ProgramError(
            f"{entry.location} has the sha256 {digest.hexdigest()}, not {entry.sha256}: it is another program, or the "
            "checksum is wrong"
        )


def _put(name: str, target: Path) -> None:
    """Make a program executable, by us only, and put it in its place."""
    path = Path(name)
    path.chmod(0o700)
    path.replace(target)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


async def _downloaded(entry: Entry, headers: Headers) -> AsyncIterator[bytes]:
    sent = {name: value for each in entry.headers_from for name, value in (await headers(each)).items()}
    url = entry.location
    try:
        async with aiohttp.ClientSession(trust_env=True) as session:
            for _ in range(_MOST_REDIRECTS + 1):
                async with session.get(url, headers=sent, allow_redirects=False) as response:
                    if response.status in _MOVED:
                        url, sent = _elsewhere(url, response.headers.get("Location", ""), sent)
                        continue
                    if response.status != 200:
                        raise ProgramError(f"{url} answered {response.status}")
                    async for chunk in response.content.iter_chunked(_CHUNK):
                        yield chunk
                    return
    except (aiohttp.ClientError, ValueError) as error:
        raise ProgramError(f"{url} can't be downloaded: {_said(error)}") from error
    raise ProgramError(f"{entry.location} was moved more than {_MOST_REDIRECTS} times")


def _elsewhere(url: str, location: str, sent: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return where a download goes on: never in the clear, and without what only the first server may see."""
    there = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(there)
    if before.scheme == "https" and after.scheme != "https":
        raise ProgramError(f"{url} sends us to {after.scheme}://{after.netloc}, which isn't https://")
    is_same = (before.scheme, before.netloc) == (after.scheme, after.netloc)
    return there, dict(sent) if is_same else {}


def _said(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "its server's certificate isn't trusted"
    return type(error).__name__ if isinstance(error, ValueError) else str(error) or type(error).__name__
