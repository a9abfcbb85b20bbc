"""What may come back for a request, and where may it lead?"""

import asyncio
import gzip

import aiohttp
import pytest
from aiohttp import web

from rollouts.fetch.session import MAX_BODY, exchange
from rollouts.ports import MeasurementError, Request
from tests.serving import server_tls, serving

SECRET = "marker-of-a-secret"  # noqa: S105 - it opens nothing


async def _echo(request: web.Request) -> web.Response:
    body = await request.read()
    shown = {
        "method": request.method,
        "path": request.raw_path,
        "body": body.decode(),
        "headers": dict(request.headers),
    }
    return web.json_response(shown, headers={"X-Loud": "yes", "Set-Cookie": "a=b"})


async def test_a_request_arrives_as_it_is(session: aiohttp.ClientSession) -> None:
    async with serving(_echo) as url:
        request = Request("PUT", f"{url}/a%20b?c=%2B+d", {"X-Key": "1"}, b"body")
        response = await exchange(session, request)
        assert b'"path": "/a%20b?c=%2B+d"' in response.body
        assert b'"method": "PUT"' in response.body
        assert b'"body": "body"' in response.body
        assert (response.status, response.headers["x-loud"]) == (200, "yes")
        assert b"Cookie" not in (await exchange(session, request)).body


async def test_an_error_of_the_server_is_an_answer(session: aiohttp.ClientSession) -> None:
    async def broken(_: web.Request) -> web.Response:
        return web.Response(status=503, text="overloaded")

    async with serving(broken) as url:
        response = await exchange(session, Request("GET", url))
        assert (response.status, response.body) == (503, b"overloaded")


async def test_a_redirect_on_the_same_host_is_followed_with_credentials(session: aiohttp.ClientSession) -> None:
    async def moved(request: web.Request) -> web.Response:
        if request.path == "/old":
            return web.Response(status=307, headers={"Location": "/new"})
        return await _echo(request)

    async with serving(moved) as url:
        response = await exchange(session, Request("POST", f"{url}/old", {"Authorization": SECRET}, b"body"))
    assert b'"path": "/new"' in response.body
    assert b'"body": "body"' in response.body
    assert SECRET.encode() in response.body


async def test_what_is_seen_elsewhere_is_fetched_by_get(session: aiohttp.ClientSession) -> None:
    async def moved(request: web.Request) -> web.Response:
        if request.path == "/old":
            return web.Response(status=303, headers={"Location": "/new"})
        return await _echo(request)

    async with serving(moved) as url:
        response = await exchange(session, Request("POST", f"{url}/old", body=b"body"))
    assert b'"method": "GET"' in response.body
    assert b'"body": ""' in response.body


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "{url}/", {"X-Api-Key": SECRET}),
        Request("POST", "{url}/", body=SECRET.encode()),
        Request("GET", "http://me:marker-of-a-secret@{host}/"),
    ],
)
async def test_credentials_are_not_sent_to_another_server(request_: Request, session: aiohttp.ClientSession) -> None:
    asked: list[web.Request] = []

    async def thief(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response()

    async with serving(thief) as elsewhere:

        async def moved(_: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"{elsewhere}/"})

        async with serving(moved) as url:
            target = request_.url.replace("{url}", url).replace("{host}", url.removeprefix("http://"))
            request = Request(request_.method, target, request_.headers, request_.body)
            with pytest.raises(MeasurementError, match=r"redirects to http://127.0.0.1:\d+, and headers") as caught:
                await exchange(session, request)
    assert not asked
    assert SECRET not in str(caught.value)


async def test_a_request_without_credentials_may_be_led_elsewhere(session: aiohttp.ClientSession) -> None:
    async with serving(_echo) as elsewhere:

        async def moved(_: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": f"{elsewhere}/there"})

        async with serving(moved) as url:
            response = await exchange(session, Request("GET", url, {"Accept": "application/json"}))
    assert b'"path": "/there"' in response.body


@pytest.mark.parametrize(("where", "why"), [("/", "redirects more than 5 times"), ("file:///etc/passwd", "no HTTP")])
async def test_redirects_end(where: str, why: str, session: aiohttp.ClientSession) -> None:
    async def moved(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": where})

    async with serving(moved) as url:
        with pytest.raises(MeasurementError, match=why):
            await exchange(session, Request("GET", url))


async def test_a_slow_server_is_given_up(session: aiohttp.ClientSession) -> None:
    given_up = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await given_up.wait()
        return web.Response()

    async with serving(slow) as url:
        with pytest.raises(MeasurementError, match=r"127.0.0.1:\d+ didn't answer within 0.2 s: look at the server"):
            await exchange(session, Request("GET", url, timeout=0.2))
        given_up.set()


@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_is_bounded_also_when_it_is_packed(*, packed: bool, session: aiohttp.ClientSession) -> None:
    async def huge(_: web.Request) -> web.Response:
        body = b"0" * (MAX_BODY + 1)
        if packed:
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
        return web.Response(body=body)

    async with serving(huge) as url:
        with pytest.raises(MeasurementError, match="larger than 10 MB: ask for less"):
            await exchange(session, Request("GET", url))


async def test_an_answer_that_is_cut_is_an_error(session: aiohttp.ClientSession) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async with serving(cut) as url:
        with pytest.raises(MeasurementError, match="cut before the answer was complete"):
            await exchange(session, Request("GET", url))


async def test_certificates_are_checked_unless_the_metric_says_otherwise(session: aiohttp.ClientSession) -> None:
    async with serving(_echo, tls=server_tls()) as url:
        with pytest.raises(MeasurementError, match=r"no secure connection .*from a known authority"):
            await exchange(session, Request("GET", url))
        assert (await exchange(session, Request("GET", url, verify=False))).status == 200


async def test_a_server_that_speaks_no_tls_or_no_http_is_told(session: aiohttp.ClientSession) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"-ERR unknown command\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(rude, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(MeasurementError, match="is this the port of an HTTP server"):
            await exchange(session, Request("GET", f"http://{host}:{port}/"))
        with pytest.raises(MeasurementError, match=r"no secure connection .* doesn't speak TLS; is it one for http://"):
            await exchange(session, Request("GET", f"https://{host}:{port}/"))


async def test_a_port_where_nobody_listens_is_told(session: aiohttp.ClientSession) -> None:
    async with serving(_echo) as url:
        pass
    with pytest.raises(MeasurementError, match=r"127.0.0.1:\d+: no connection \(.*\): is the server running"):
        await exchange(session, Request("GET", url))


async def test_a_name_that_nobody_knows_is_told(session: aiohttp.ClientSession) -> None:
    with pytest.raises(MeasurementError, match=r"nowhere\.invalid: the name can't be found"):
        await exchange(session, Request("GET", "http://nowhere.invalid/"))


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://host:99999999/"])
async def test_a_url_that_is_none_is_an_error_of_the_measurement(url: str, session: aiohttp.ClientSession) -> None:
    with pytest.raises(MeasurementError):
        await exchange(session, Request("GET", url))


async def test_a_proxy_of_the_environment_is_used_but_not_for_who_is_excepted(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def proxy(request: web.Request) -> web.Response:
        return web.Response(text=f"proxied {request.headers['Host']} {request.headers.get('Proxy-Authorization')}")

    async with serving(proxy) as url, serving(_echo) as target:
        monkeypatch.setenv("HTTP_PROXY", url.replace("://", "://me:pass@"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        proxied = await exchange(session, Request("GET", "http://metrics.invalid/"))
        assert proxied.body == b"proxied metrics.invalid Basic bWU6cGFzcw=="
        assert b'"path": "/x"' in (await exchange(session, Request("GET", f"{target}/x"))).body
