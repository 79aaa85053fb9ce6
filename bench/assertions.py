"""The assertion from a PEM key, beside the bare signature and the signer of the official SDK."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final

import dfns_sdk
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from bench.measuring import Effort, Samples, in_turns
from bench.table import Goal, Row
from dfns_signers import KeySigner, PemKey
from dfns_signers.assertions import client_data

_CREDENTIAL: Final = "cr-6vn6m-4mjcd-9rbr0tcc7mqcn3hf"
_CHALLENGE: Final[Any] = {
    "challenge": "Y2gtM2Q0ZjEtOGs3ZGQtOTJzYnI2cTFhZzQ3c2E1dA",
    "challengeIdentifier": "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl",
    "supportedCredentialKinds": [{"kind": "Key", "factor": "first", "requiresSecondFactor": False}],
    "allowCredentials": {
        "key": [{"type": "public-key", "id": _CREDENTIAL}],
        "passwordProtectedKey": [],
        "webauthn": [],
    },
}
_MESSAGE: Final = client_data("key.get", _CHALLENGE["challenge"])

_ECDSA: Final = (ec.ECDSA(hashes.SHA256()),)
_PKCS1: Final = (padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True)
class _Kind:
    """A kind of key, what cryptography takes beside the message, and the goal of its assertion."""

    name: str
    generate: Callable[[], Any]
    parameters: tuple[Any, ...]
    goal: float
    calls: int  # in a turn, of about five milliseconds


_KINDS: Final = (
    _Kind("Ed25519", ed25519.Ed25519PrivateKey.generate, (), 0.90, 100),
    _Kind("P-256", lambda: ec.generate_private_key(ec.SECP256R1()), _ECDSA, 0.83, 100),
    _Kind("secp256k1", lambda: ec.generate_private_key(ec.SECP256K1()), _ECDSA, 0.98, 15),
    _Kind("RSA-2048", lambda: rsa.generate_private_key(65537, 2048), _PKCS1, 0.98, 15),
)
_ROUNDS: Final = 200
_GOAL_VERIFIED: Final = 0.95


def rows(effort: Effort) -> Iterator[Row]:
    """The speed for each kind of key, as part of that of cryptography alone."""
    rounds = effort.of(_ROUNDS, least=30)
    for kind in _KINDS:
        measured = _measured(kind, rounds)
        how = f"{rounds} rounds of {kind.calls}, CPU time"
        bare, verified = (measured.of(name, factor=1e6) for name in ("bare", "bare, verified"))
        yield Row(
            what=f"assertion from a PEM, {kind.name}",
            ours=measured.speed("ours", beside="bare"),
            unit="of bare cryptography",
            how=f"{how}; bare takes {bare.median:.0f} µs",
            beside={"dfns-sdk": measured.speed("official", beside="bare")},
            goal=Goal(at_least=kind.goal),
        )
        yield Row(
            what=f"assertion from a PEM, verified, {kind.name}",
            ours=measured.speed("verified", beside="bare, verified"),
            unit="of bare sign and verify",
            how=f"{how}; bare takes {verified.median:.0f} µs",
            goal=Goal(at_least=_GOAL_VERIFIED),
        )
        yield Row(
            what=f"assertion from a PEM, async, {kind.name}",
            ours=measured.speed("async", beside="bare"),
            unit="of bare cryptography",
            how=f"{how}, without an event loop, which it never waits for",
        )


def _measured(kind: _Kind, rounds: int) -> Samples:
    key = kind.generate()
    sign, verify, parameters = key.sign, key.public_key().verify, kind.parameters
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    official = dfns_sdk.KeySigner(_CREDENTIAL, pem)
    ours = KeySigner(PemKey.from_pem(pem), _CREDENTIAL)
    verified = KeySigner(PemKey.from_pem(pem, verify=True), _CREDENTIAL)
    subjects: dict[str, Callable[[], object]] = {
        "bare": lambda: sign(_MESSAGE, *parameters),
        "official": lambda: official.sign(_CHALLENGE),
        "ours": lambda: ours.sign(_CHALLENGE),
        "async": lambda: _run(ours.asign(_CHALLENGE)),
        "bare, verified": lambda: verify(sign(_MESSAGE, *parameters), _MESSAGE, *parameters),
        "verified": lambda: verified.sign(_CHALLENGE),
    }
    return in_turns(subjects, rounds=rounds, calls=kind.calls)


def _run(signing: Coroutine[Any, Any, object]) -> None:
    try:
        signing.send(None)
    except StopIteration:
        return
    raise RuntimeError("an assertion from a PEM key waited for something")
