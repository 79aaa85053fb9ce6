"""What is fuzzed: functions of bytes, each with the property that holds whatever the bytes are."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dfns_signers import DfnsClient, KeySigner, PemKey
from dfns_signers.config.assembly import check_base_url, validated_options
from dfns_signers.config.loading import load_profile
from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.encodings import (
    base64url_decode,
    base64url_encode,
    ecdsa_der_from_raw,
    ecdsa_raw_from_der,
)
from dfns_signers.errors import (
    ConfigurationError,
    DfnsSignersError,
    EncodingError,
    PluginError,
    SigningError,
    SigningKeyError,
)
from tests.fuzz.emulated import Api

Target = Callable[[bytes], None]

_CLIENT_DATA = b'{"type":"key.get","challenge":'
_STEPS = {"init": "/auth/action/init", "complete": "/auth/action", "call": "/wallets"}
_LENGTH_OF_A_SECRET = 40  # in bytes; shorter words may be in a message by chance
_USUAL: dict[str, Any] = {
    "/auth/action/init": {"challenge": "ch", "challengeIdentifier": "id"},
    "/auth/action": {"userAction": "user-action"},
    "/wallets": {"id": "wa-1"},
}


def challenge(data: bytes) -> None:
    """A challenge is signed or refused with SigningError; clientData alone is ever signed."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        assertion = _signer().sign(value)
    except SigningError as error:
        _check_text(error)
        return
    signed = base64url_decode(assertion["credentialAssertion"]["clientData"])
    assert signed.startswith(_CLIENT_DATA)
    assert json.loads(signed) == {"type": "key.get", "challenge": value["challenge"]}


def answer(data: bytes) -> None:
    """Whatever answers a step of a call, the call returns or raises an error of the package.

    The first line has the step and the status, the further ones up to an empty one are headers.
    """
    head, _, body = data.partition(b"\n\n")
    first, *fields = head.split(b"\n")
    step, _, status = first.decode("latin-1").partition(" ")
    path = _STEPS.get(step)
    if path is None or not status.isascii() or not status.isdigit():
        return
    code = 200 + int(status[:4]) % 400
    headers = [(name.strip(), value.strip()) for name, _, value in _split(fields)]

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == path:
            return httpx.Response(code, headers=headers, content=iter([body]))
        return httpx.Response(200, json=_USUAL[request.url.path])

    with httpx.Client(transport=httpx.MockTransport(reply)) as http:
        dfns = DfnsClient(
            "fuzzed-token",
            _signer(),
            base_url="http://127.0.0.1:1",
            max_attempts=1,
            http_client=http,
        )
        try:
            dfns.wallets.create(network="Solana")
        except DfnsSignersError as error:
            _check_text(error)


def signature(data: bytes) -> None:
    """DER, raw signatures and base64url are decoded as they are encoded, or EncodingError."""
    with contextlib.suppress(EncodingError):
        assert ecdsa_raw_from_der(ecdsa_der_from_raw(data), size=len(data) // 2) == data
    with contextlib.suppress(EncodingError):
        assert ecdsa_der_from_raw(ecdsa_raw_from_der(data)) == data
    with contextlib.suppress(EncodingError, UnicodeDecodeError):
        text = data.decode("ascii")
        assert base64url_encode(base64url_decode(text)) == text


def pem(data: bytes) -> None:
    """A PEM is a key that signs, or a documented error that does not repeat it."""
    for passphrase in (None, "passphrase"):
        try:
            PemKey.from_pem(data, passphrase=passphrase).sign(b"message")
        except (SigningKeyError, ConfigurationError) as error:
            _check_text(error, secret=max(data.split(), key=len, default=b""))


def configuration(data: bytes) -> None:
    """A file is loaded or refused with a documented error that names it."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.toml")
        config.write_bytes(data)
        config.chmod(0o600)
        try:
            loaded = load_profile("p", config=config)
        except (ConfigurationError, PluginError) as error:
            _check_text(error, names=str(config))
            return
        for step in (check_base_url, validated_options):
            try:
                step(loaded)
            except (ConfigurationError, PluginError) as error:
                _check_text(error)


def signer_line(data: bytes) -> None:
    """A line is a table with a backend, or ConfigurationError that names its origin."""
    try:
        table = parse_signer_line(data.decode("utf-8", "surrogateescape"), "DFNS_SIGNER")
    except ConfigurationError as error:
        _check_text(error, names="DFNS_SIGNER")
    else:
        assert isinstance(table["backend"], str)


def emulator_request(data: bytes) -> None:
    """The emulator answers every request with JSON and a status below 500.

    The first line has method and target, the further ones up to an empty one are headers; with a
    header ``Signed`` the request has a valid user action.
    """
    head, _, body = data.partition(b"\n\n")
    first, *fields = head.split(b"\n")
    method, _, target = first.decode("latin-1").partition(" ")
    if not target.startswith("/") or not target.isascii() or not method.isalpha():
        return
    headers = [
        (name.decode("latin-1").strip().lower(), value.decode("latin-1").strip())
        for name, _, value in _split(fields)
    ]
    reply = _api().send(method, target, headers, body)
    assert reply.status < 500
    json.loads(reply.content)


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        challenge,
        answer,
        signature,
        pem,
        configuration,
        signer_line,
        emulator_request,
    )
}


def _split(fields: list[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    return [field.partition(b":") for field in fields if b":" in field]


def _check_text(error: DfnsSignersError, *, names: str = "", secret: bytes = b"") -> None:
    """The message can be logged anywhere, names what it should, and repeats no long secret."""
    text = str(error)
    text.encode("utf-8")
    assert text
    assert not {"\x00", "\x1b", "\r"} & set(text)
    assert names in text
    assert len(secret) < _LENGTH_OF_A_SECRET or secret.decode("latin-1") not in text


@cache
def _signer() -> KeySigner:
    return KeySigner(PemKey.from_pem(_new_pem()), "cr-fuzz")


def _new_pem() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


_REQUESTS_OF_AN_API = 1000  # then its memory is emptied


class _Apis:
    """Gives an emulator, and a new one every thousand requests."""

    used = 0
    api: Api | None = None


def _api() -> Api:
    if _Apis.api is None or _Apis.used % _REQUESTS_OF_AN_API == 0:
        _Apis.api = Api(_signer())
    _Apis.used += 1
    return _Apis.api
