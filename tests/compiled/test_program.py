"""How programs get here, and which are refused."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web

from rollouts.compiled.config import Entry
from rollouts.compiled.program import ProgramError, _elsewhere, fetch_program
from rollouts.ports.compiled import CompiledKind
from tests.serving import serving

PROGRAM = b"#!/bin/sh\nexit 0\n"
SHA = hashlib.sha256(PROGRAM).hexdigest()


async def headers(name: str) -> Mapping[str, str]:
    assert name == "the-token"
    return {"Authorization": "Bearer x"}


def entry(location: str, sha256: str = "", headers_from: tuple[str, ...] = ()) -> Entry:
    return Entry(CompiledKind.STEP, "a/b", location, sha256, headers_from=headers_from)


async def test_a_file_is_copied_and_made_executable(tmp_path: Path) -> None:
    (tmp_path / "the plugin").write_bytes(PROGRAM)
    target = await fetch_program(entry(f"file://{tmp_path}/the plugin", SHA), tmp_path, headers)
    assert target.read_bytes() == PROGRAM
    assert target.stat().st_mode & 0o777 == 0o700


async def test_one_that_is_downloaded_with_headers(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/":
            raise web.HTTPFound("/there")
        return web.Response(body=PROGRAM if request.headers.get("Authorization") == "Bearer x" else b"who?")

    async with serving(answer) as url:
        target = await fetch_program(entry(url, SHA, ("the-token",)), tmp_path, headers)
    assert target.read_bytes() == PROGRAM


async def test_what_cant_be_had_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=404 if request.path == "/gone" else 200, body=b"another")

    async with serving(answer) as url:
        for location, says in (
            (url, "it is another program, or the checksum is wrong"),
            (f"{url.rstrip('/')}/gone", "answered 404"),
            ("http://127.0.0.1:1/", "can't be downloaded"),
            (f"file://{tmp_path}/none", "No such file"),
        ):
            with pytest.raises(ProgramError, match=says):
                await fetch_program(entry(location, SHA), tmp_path, headers)
    assert not os.listdir(tmp_path)  # noqa: PTH208 - Path has no quicker way


def test_a_move_takes_no_secret_elsewhere_and_never_into_the_clear() -> None:
    sent = {"Authorization": "x"}
    assert _elsewhere("https://a.example/1", "/2", sent) == ("https://a.example/2", sent)
    assert _elsewhere("https://a.example/1", "https://b.example/2", sent) == ("https://b.example/2", {})
    with pytest.raises(ProgramError, match="isn't https"):
        _elsewhere("https://a.example/1", "http://a.example/2", sent)
