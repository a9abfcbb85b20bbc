"""How is it told that a server has refused a request?"""

from urllib.parse import urlsplit

from rollouts.ports.provider import Request, Response

_EXCERPT = 300


def refusal(request: Request, response: Response, *, said: str | None = None, advice: str = "") -> str:
    """Say in a sentence who refused, with which status and words (`said`, or its body), and a way out."""
    words = excerpt(response.body) if said is None else said
    host = host_of(request.url)
    ending = f"; {advice}" if advice else ""
    return f"{host} answered {response.status}{f': {words}' if words else ' with an empty body'}{ending}"


def excerpt(body: bytes) -> str:
    """Return the beginning of a body in one line."""
    return " ".join(body[:_EXCERPT].decode(errors="replace").split())


def host_of(url: str) -> str:
    """Return host and port, without a user's name or password that may stand before them."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the server"
    return f"{host}{port}" if host else "the server"
