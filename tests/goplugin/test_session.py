"""A conversation with a real plugin, as it was recorded, and what happens when one breaks off."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollouts.goplugin.gob import BOOL, INTERFACE, STRING
from rollouts.goplugin.handshake import Kind
from rollouts.goplugin.session import Answered, Event, Printed, Ready, Session, SessionError

_CONVERSATION = Path(__file__).with_name("conversation.txt")
_DISPENSED = 2  # what is received until the service is ready


def _recorded() -> Iterator[tuple[str, bytes]]:
    for line in _CONVERSATION.read_text().splitlines():
        if not line.startswith("#"):
            who, data = line.split(" ")
            yield who, b64decode(data)


def test_a_recorded_conversation_byte_by_byte() -> None:
    session, events, asked = Session(Kind.STEP), list[Event](), 0
    sent = bytearray(session.outgoing())
    for who, data in _recorded():
        if who == "sent":
            assert bytes(sent) == data
            sent.clear()
            continue
        for byte in data:
            for event in session.receive(bytes((byte,))):
                events.append(event)
                if isinstance(event, Ready | Answered):
                    _ask(session, asked)
                    asked += 1
        sent += session.outgoing()
    answers = [(each.value, each.error) for each in events if isinstance(each, Answered)]
    assert answers == [
        ({}, ""),
        ("Recorder", ""),
        (None, "rpc: can't find method Plugin.Nonsense"),
        ({}, ""),
    ]
    printed = b"".join(each.data for each in events if isinstance(each, Printed))
    assert printed == b"the recorder begins\n"


def _ask(session: Session, number: int) -> None:
    match number:
        case 0:
            session.call("InitPlugin", INTERFACE, None)
        case 1:
            session.call("Type", INTERFACE, None)
        case 2:
            session.call("Nonsense", BOOL, argument=True)
        case 3:
            session.ping()


def test_nothing_is_called_before_it_is_ready() -> None:
    with pytest.raises(SessionError, match="isn't ready"):
        Session(Kind.STEP).call("Run", STRING, "")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\0\3\0\0\0\0\0\0\0\0\0\1", "ended the connection"),
        (b"\0\1\0\4\0\0\0\1\0\0\0\0", "closed the connection"),
        (b"\0\0\0\0\0\0\0\1\0\0\0\1\x80", "protocol"),
        (b"HTTP/1.1 400 ", "protocol"),
    ],
)
def test_a_plugin_that_breaks_off(data: bytes, says: str) -> None:
    with pytest.raises(SessionError, match=says):
        list(Session(Kind.STEP).receive(data))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_conversation_with_a_broken_byte_goes_on_or_is_broken_off(data: st.DataObject) -> None:
    received = bytearray(b"".join(said for who, said in _recorded() if who == "received"))
    received[data.draw(st.integers(0, len(received) - 1))] = data.draw(st.integers(0, 255))
    session = Session(Kind.STEP)
    try:
        for event in session.receive(bytes(received)):
            if isinstance(event, Ready):
                _ask(session, 0)
    except SessionError:
        return
