"""A signing key whose store meets every fault: each signature is valid, or an error of ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from dfns_signers.errors import DfnsSignersError
from dfns_signers.signing_key import SigningKey
from tests.core.keys import is_signature
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import QUICK

LIMITS = {"connect_timeout": 0.5, "read_timeout": 0.5, "timeout": 1.0, "max_attempts": 1}
"""Options of a key, so that a fault ends soon and is not repeated."""

_AT_ONCE = 8


def check_signatures_under_every_fault(key: SigningKey, proxy: FaultProxy) -> None:
    """Each of the next requests meets another fault, and no signature suffers by one.

    Args:
        key: open, with ``LIMITS``, and reached through the proxy.
        proxy: before the key store.
    """
    left = SimpleQueue[str]()
    for fault in QUICK:
        left.put(fault)
    proxy.plan = lambda request: _next_of(left)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while not left.empty():
            found = set(pool.map(lambda n: problem(key, b"%d" % n), range(_AT_ONCE)))
            assert found == {None}

    assert key.sign(b"afterwards")


def _next_of(faults: SimpleQueue[str]) -> str | None:
    try:
        return faults.get_nowait()
    except Empty:
        return None


def problem(key: SigningKey, message: bytes) -> str | None:
    """What is wrong with how a signature ended."""
    try:
        signature = key.sign(message)
    except DfnsSignersError as error:
        text = str(error)
        return None if text.replace("\n", " ").isprintable() else f"odd message: {text!a}"
    except Exception as error:  # noqa: BLE001  # what is looked for
        return f"foreign exception: {error!r}"
    return None if is_signature(key.public_key, message, signature) else "wrong signature"
