"""How does Graphite's web application answer on loopback? It is run by the Python of its own environment:
`graphite_web.py PORT`.
"""

import os
import sys
from types import ModuleType
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Doesn't ask who the client is."""

    def address_string(self) -> str:
        return str(self.client_address[0])


def main() -> None:
    """Serve until killed."""
    # Drawing needs a library of the machine's; JSON doesn't, and nothing else is asked for here.
    sys.modules["cairocffi"] = ModuleType("cairocffi")
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
    from django.core.wsgi import get_wsgi_application

    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), handler_class=Quiet).serve_forever()


if __name__ == "__main__":
    main()
