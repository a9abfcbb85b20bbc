"""What is gob? Go's own notation for values: a stream in which each type is described once, before its first value."""

from rollouts.goplugin.gob.decoding import Decoded, Decoder
from rollouts.goplugin.gob.encoding import Encoder
from rollouts.goplugin.gob.types import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    INTERFACE,
    STRING,
    UINT,
    Array,
    Basic,
    Boxed,
    GobError,
    Map,
    Opaque,
    Slice,
    Struct,
    Type,
)

__all__ = [
    "BOOL",
    "BYTES",
    "FLOAT",
    "INT",
    "INTERFACE",
    "STRING",
    "UINT",
    "Array",
    "Basic",
    "Boxed",
    "Decoded",
    "Decoder",
    "Encoder",
    "GobError",
    "Map",
    "Opaque",
    "Slice",
    "Struct",
    "Type",
]
