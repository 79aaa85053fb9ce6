"""Checks of the signing key: the way to it, opening it, and a probe signature."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

from dfns_signers import deadlines, worker_threads
from dfns_signers.algorithms import verification
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.diagnosis import DiagnosesKeys, Finding
from dfns_signers.backends.options import BackendOptions
from dfns_signers.closing import release_logged
from dfns_signers.config.assembly import open_key, validated_options
from dfns_signers.config.loading import LoadedProfile
from dfns_signers.lazy_key import LazyKey
from dfns_signers.lifecycle.checks import Checked, Findings, checked, failure, not_examined, ok
from dfns_signers.signing_key import SigningKey

_PROBE: Final = b"dfns-signers doctor: this is not a user action, "
"""What is signed begins so: neither JSON nor an attestation, it answers no challenge."""


def opened_key(
    loaded: LoadedProfile, backend: Backend[Any], stack: ExitStack
) -> Findings[SigningKey | None]:
    """The key, once it has made a probe signature; closed with ``stack``.

    What takes longer than a call may counts as a failure, as it would be for a client.
    """
    options = yield from checked(
        "signer options",
        lambda: validated_options(loaded, reveal=True),
        "correct the [signer] table; 'dfns-signers config show' shows what is read",
    )
    if options is None:
        yield from not_examined("the options of the signer are wrong", "key", "signature")
        return None
    limit = loaded.settings.call_timeout
    if isinstance(backend, DiagnosesKeys):
        hangs = yield from _diagnosed(backend, options.value, limit)
        if hangs:
            yield from not_examined("the key store gives no answer", "key", "signature")
            return None
    key = yield from _opened(loaded, stack, limit)
    if key is None:
        yield from not_examined("the key cannot be opened", "signature")
        return None
    pin = "as pinned" if options.value.fingerprint else "not pinned"
    described = f"{key.value.algorithm} {key.value.reference}, {key.value.fingerprint} ({pin})"
    yield ok("key", described, key.seconds)
    yield from _probed(key.value, limit)
    return key.value


def _diagnosed(
    backend: DiagnosesKeys[Any], options: BackendOptions, limit: float
) -> Findings[bool]:
    """What the backend says of the key; whether it gave no answer in time."""
    end = time.monotonic() + limit
    findings: Iterator[Finding] = backend.diagnose(options)
    while True:
        try:
            with deadlines.within(end - time.monotonic()):
                finding = worker_threads.wait_for(worker_threads.submit(next, findings, None))
        except TimeoutError:
            yield failure(
                "key store",
                f"it gave no answer within {limit:g} seconds ('call_timeout')",
                "check that it runs, and the address of it and the network on the way",
            )
            return True
        except Exception as error:  # noqa: BLE001  # of a plugin, which may raise anything
            yield failure(
                "key store",
                f"the backend failed to examine its key with {type(error).__name__}",
                "report it to the author of the backend",
            )
            return False
        if finding is None:
            return False
        yield finding


def _opened(
    loaded: LoadedProfile, stack: ExitStack, limit: float
) -> Findings[Checked[SigningKey] | None]:
    lazy = LazyKey(lambda: open_key(loaded))
    stack.callback(_close, lazy)
    return (
        yield from checked(
            "key",
            lazy.get,
            "correct the [signer] table; 'dfns-signers keys list' shows the keys of the store",
            within=limit,
        )
    )


def _close(lazy: LazyKey) -> None:
    key = lazy.end()
    if key is not None:
        release_logged(key.close)


def _probed(key: SigningKey, limit: float) -> Findings[None]:
    message = _PROBE + secrets.token_hex(16).encode("ascii")

    def sign() -> None:
        verification(key.public_key)(message, key.sign(message))

    found = yield from checked(
        "signature",
        sign,
        "see that the caller may sign with the key, and not only read it",
        within=limit,
    )
    if found is not None:
        yield ok("signature", "a probe signature is valid", found.seconds)
