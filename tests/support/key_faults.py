"""A signing key whose store meets every fault: each signature is valid, or an error of ours."""

from __future__ import annotations

import gc
import warnings
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from dfns_signers.errors import DfnsSignersError, KeyStoreUnavailableError
from dfns_signers.signing_key import SigningKey
from tests.core.keys import is_signature
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import QUICK

LIMITS = {"connect_timeout": 0.5, "read_timeout": 0.5, "timeout": 1.0, "max_attempts": 1}
"""Options of a key, so that a fault ends soon and is not repeated."""

_AT_ONCE = 8
_TIMES = 3  # what a fault draws, such as where it cuts, is another thing each time


def check_signatures_under_every_fault(key: SigningKey, proxy: FaultProxy) -> None:
    """The next requests meet every fault several times, and no signature suffers by one.

    Args:
        key: open, with ``LIMITS``, and reached through the proxy.
        proxy: before the key store.
    """
    left = SimpleQueue[str]()
    for fault in QUICK * _TIMES:
        left.put(fault)
    proxy.plan = lambda request: _next_of(left)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while not left.empty():
            found = set(pool.map(lambda n: problem(key, b"%d" % n), range(_AT_ONCE)))
            assert found == {None}

    with warnings.catch_warnings():
        # Errors of urllib3 and botocore hold broken connections in cycles.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    # Connections that went stale meanwhile fail first.
    assert any(_is_signed(key) for _ in range(4 * _AT_ONCE)), "the key never signs again"


def _next_of(faults: SimpleQueue[str]) -> str | None:
    try:
        return faults.get_nowait()
    except Empty:
        return None


def _is_signed(key: SigningKey) -> bool:
    try:
        key.sign(b"afterwards")
    except KeyStoreUnavailableError:
        return False
    return True


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
