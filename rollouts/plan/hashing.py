"""How are a pod template and a list of steps named by a short hash?

The hash names a ReplicaSet; it never decides equality. What decides is the `digest`, kept as an annotation on every
ReplicaSet that we create, and for others the semantic comparison of `rollouts.plan.equality`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

# Kubernetes' safe alphabet (apimachinery's rand.SafeEncodeString): no vowels and no look-alikes, no words by accident.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_FNV_OFFSET, _FNV_PRIME, _32_BITS = 0x811C9DC5, 0x01000193, 0xFFFFFFFF


def _without_nothing(value: Any) -> Any:
    """Drop nulls and empty lists: written or left out, they mean the same. An empty mapping (`emptyDir: {}`) stays."""
    if isinstance(value, Mapping):
        return {key: _without_nothing(each) for key, each in value.items() if each is not None and each != []}
    if isinstance(value, list):
        return [_without_nothing(each) for each in value]
    return value


def canonical_json(value: Any) -> bytes:
    """Return JSON with sorted keys, in which nulls and empty lists don't count."""
    return orjson.dumps(_without_nothing(value), option=orjson.OPT_SORT_KEYS)


def template_digest(template: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the pod template in canonical form, in hexadecimal."""
    return hashlib.sha256(canonical_json(template)).hexdigest()


def safe_encode(number: int) -> str:
    """Spell a number's decimal digits in Kubernetes' safe alphabet."""
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(number))


@lru_cache(maxsize=8192)
def pod_hash(digest: str, collision_count: int | None) -> str:
    """Return the short hash that names a template's ReplicaSet; another one for each collision met."""
    salted = digest if not collision_count else f"{digest}-{collision_count}"
    return safe_encode(int.from_bytes(hashlib.sha256(salted.encode()).digest()[:4]))


@lru_cache(maxsize=4096)
def _fnv1a(data: bytes) -> int:
    """Return FNV-1a, 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv)."""
    value = _FNV_OFFSET
    for byte in data:
        value = ((value ^ byte) * _FNV_PRIME) & _32_BITS
    return value


def step_hash(steps: Sequence[Any] | None) -> str:
    """Return the hash of a canary's steps; the same as the API's other controller gives for steps of simple values.

    So a change of controllers in mid-update doesn't restart the update.
    """
    return safe_encode(_fnv1a(orjson.dumps(steps or None, option=orjson.OPT_SORT_KEYS)))
