"""Opens a signer by its configuration, forks, and signs in parent and child.

Usage: python -m dfns_signers_testkit.contract.forked < JSON

It runs in a process of its own: a process with threads, such as that of pytest, must not fork.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from typing import Any, Final

import anyio

from dfns_signers import KeySigner, load_signer
from dfns_signers.errors import SigningKeyError
from dfns_signers_testkit.contract.checks import is_signature

_MESSAGE: Final = b"message"


def main() -> None:
    """Read what to open from standard input, and print what was found out as JSON."""
    asked = json.load(sys.stdin)
    signer = load_signer(credential_id="cr-contract", signer=asked["signer"])
    _signs(signer)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write_end, json.dumps(_in_child(signer)).encode())
        os._exit(0)
    os.close(write_end)
    found = _answer(read_end, asked["patience"])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(json.dumps({**found, "parent_signs_after_fork": _signs(signer)}))  # noqa: T201
    signer.close()


def _signs(signer: KeySigner) -> bool:
    """Whether it signs, from a thread and from an event loop."""
    signatures = signer.key.sign(_MESSAGE), anyio.run(signer.key.asign, _MESSAGE)
    return all(is_signature(signer.key.public_key, _MESSAGE, one) for one in signatures)


def _in_child(signer: KeySigner) -> dict[str, Any]:
    try:
        signs = _signs(signer)
        signer.close()
    except BaseException as error:  # noqa: BLE001  # the parent judges it
        return _failed(f"{type(error).__name__}: {error}", isinstance(error, SigningKeyError))
    return {"child_signs": signs, "error": None}


def _answer(read_end: int, patience: float) -> dict[str, Any]:
    ready, _, _ = select.select([read_end], [], [], patience)
    answer = os.read(read_end, 65536) if ready else b""
    if not answer:
        return _failed("the forked child hangs, or ended without an answer", expected=False)
    found: dict[str, Any] = json.loads(answer)
    return found


def _failed(error: str, expected: bool) -> dict[str, Any]:
    return {"error": error, "error_is_signing_key_error": expected}


if __name__ == "__main__":
    main()
