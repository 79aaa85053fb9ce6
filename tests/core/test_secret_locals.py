"""No error leaves us with a secret in the local variables of our frames, as error trackers show."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import httpcore
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dfns_signers import (
    AsyncDfnsClient,
    DelegatedDfnsClient,
    DfnsClient,
    PemKey,
    UserActionAuth,
    deadlines,
)
from dfns_signers.client.timed_connections import TimedBackend
from dfns_signers.errors import DfnsSignersError, TransportTimeoutError
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from dfns_signers.worker_threads import submit, wait_for
from tests.core.keys import private_key, private_pem
from tests.secrecy import CANARY
from tests.support.local_variables import PACKAGE, leaks_of

Fail: TypeAlias = Callable[[Path], object]


def pem(passphrase: str | None = None) -> bytes:
    return private_pem(private_key("ES256"), passphrase.encode() if passphrase else None)


PEM = pem()
ENCRYPTED = pem(CANARY)
DAMAGED = PEM.replace(b"A", b"", 3)
P384 = private_pem(ec.generate_private_key(ec.SECP384R1()))
OTHER_PIN = "00" * 32


def lines_of(*pems: bytes) -> Iterator[str]:
    for each in pems:
        yield from (line.decode()[:40] for line in each.splitlines() if b"-----" not in line)


@dataclass(frozen=True, slots=True)
class Held:
    """Shows nothing by its repr."""

    text: str = field(repr=False)


@pytest.mark.parametrize(
    "hold",
    [
        lambda text: text,
        str.encode,
        lambda text: [text],
        lambda text: {"a": {"b": text}},
        lambda text: {text: 1},
        lambda text: (1, {text}),
        Held,
    ],
)
def test_sweep_finds_a_secret_in_a_local_variable(hold: Callable[[str], object]) -> None:
    def fail() -> None:
        raise DfnsSignersError("fails")

    ours = compile("def call(fail, held):\n    fail()\n", str(PACKAGE / "x.py"), "exec")
    namespace: dict[str, Any] = {}
    exec(ours, namespace)
    held = hold("found it")

    assert leaks_of(lambda: namespace["call"](fail, held), "found it")
    assert leaks_of(lambda: namespace["call"](fail, Sealed(held)), "found it") == []


def test_sweep_finds_a_secret_in_what_led_to_the_error() -> None:
    def held(text: bytes) -> str:
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DfnsSignersError("not UTF-8") from error

    assert leaks_of(lambda: Secret(lambda: held(b"\xff" + CANARY.encode()), "x").reveal())


# PEM: what is given, and a passphrase and a pin that do not fit.
PEMS: dict[str, tuple[bytes, str | bytes | None, str | None]] = {
    "damaged": (DAMAGED, None, None),
    "damaged and encrypted": (ENCRYPTED.replace(b"A", b"", 3), CANARY, None),
    "passphrase missing": (ENCRYPTED, None, None),
    "passphrase wrong": (ENCRYPTED, CANARY + "x", None),
    "passphrase wrong, bytes": (ENCRYPTED, CANARY.encode() + b"x", None),
    "passphrase needless": (PEM, CANARY, None),
    "two keys": (PEM + pem(), None, None),
    "another fingerprint": (PEM, None, OTHER_PIN),
    "another fingerprint, encrypted": (ENCRYPTED, CANARY, OTHER_PIN),
    "no fingerprint": (ENCRYPTED, CANARY, CANARY[:1]),
    "too large": (PEM + b" " * 1_000_000, CANARY, None),
    "no PEM": (CANARY.encode(), CANARY, None),
    "unsupported": (P384, None, None),
    "cut": (PEM[:-30], CANARY, None),
    "empty": (b"", CANARY, None),
}
SECRETS = tuple(lines_of(PEM, ENCRYPTED, DAMAGED, P384))


@pytest.mark.parametrize("case", PEMS)
@pytest.mark.parametrize("source", ["bytes", "text", "file", "env"])
def test_pem_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, source: str
) -> None:
    content, passphrase, pin = PEMS[case]
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    if source == "env":
        # The system takes no larger variable.
        monkeypatch.setenv("DFNS_KEY", content[:100_000].decode())
    make: dict[str, Callable[..., PemKey]] = {
        "bytes": partial(PemKey.from_pem, content),
        "text": partial(PemKey.from_pem, content.decode()),
        "file": partial(PemKey.from_file, path),
        "env": partial(PemKey.from_env, "DFNS_KEY"),
    }

    assert leaks_of(lambda: make[source](passphrase, fingerprint=pin), *SECRETS) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: PemKey.from_file(folder / "absent.pem", CANARY),
        lambda folder: PemKey.from_file(folder, CANARY),
        lambda _: PemKey.from_env("DFNS_ABSENT", CANARY),
        lambda _: PemKey.from_pem(7, CANARY),  # type: ignore[arg-type]
        lambda _: PemKey.from_pem(PEM, [CANARY]),  # type: ignore[arg-type]
    ],
)
def test_pem_that_is_not_there(tmp_path: Path, make: Fail) -> None:
    assert leaks_of(lambda: make(tmp_path), *SECRETS) == []


@pytest.mark.parametrize("content", [b"\xff" + CANARY.encode(), b" ", CANARY.encode() * 100_000])
def test_file_of_a_secret_that_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    os.utime(path, (0, 0))

    assert leaks_of(Secret.from_file(path)) == []


TOKENS: list[Any] = [f"{CANARY} {CANARY}", f"{CANARY}é", CANARY.encode(), [CANARY]]


@pytest.mark.parametrize("make", [DfnsClient, DelegatedDfnsClient, AsyncDfnsClient, UserActionAuth])
@pytest.mark.parametrize("token", TOKENS)
def test_token_that_is_malformed(make: Callable[..., Any], token: Any) -> None:
    assert leaks_of(lambda: make(token)) == []


@pytest.mark.parametrize(
    "wrong", [{"base_url": "http://api.dfns.io"}, {"signer": object()}, {"base_url": "x"}]
)
@pytest.mark.parametrize("make", [DfnsClient, AsyncDfnsClient, UserActionAuth])
def test_constructor_whose_other_argument_is_refused(
    make: Callable[..., Any], wrong: dict[str, Any]
) -> None:
    assert leaks_of(lambda: make(CANARY, **wrong)) == []


def test_number_of_attempts_that_is_refused() -> None:
    assert leaks_of(lambda: DfnsClient(CANARY, max_attempts=0)) == []
    assert leaks_of(lambda: DelegatedDfnsClient(CANARY, max_attempts=0)) == []


@pytest.mark.parametrize("token", TOKENS)
def test_provider_whose_token_is_malformed(token: Any) -> None:
    async def provide() -> Any:
        return token

    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    made = [AsyncDfnsClient(source, http_client=http) for source in (provide, lambda: token)]

    assert leaks_of(lambda: DfnsClient(lambda: token).get("/wallets")) == []
    for client in made:
        assert leaks_of(lambda client=client: anyio.run(client.get, "/wallets")) == []  # type: ignore[misc]


class PlainSigner:
    """Signs nothing, and says so in the form of an assertion."""

    def sign(self, challenge: Any) -> Any:
        return {"kind": "Key", "credentialAssertion": {}}


CHALLENGE = {
    "challenge": "Y2g",
    "challengeIdentifier": "id",
    "allowCredentials": {"key": [{"type": "public-key", "id": "c"}]},
}
ANSWERS: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "refused": lambda _: httpx.Response(403, json={"error": {"message": "no"}}),
    "unavailable": lambda _: httpx.Response(503),
    "not JSON": lambda _: httpx.Response(200, content=b"<html>"),
    "not an object": lambda _: httpx.Response(200, json=[1]),
    "no challenge": lambda _: httpx.Response(200, json={"challenge": 7}),
    "redirect": lambda _: httpx.Response(302, headers={"Location": "https://x.example"}),
    "user action of another type": lambda request: httpx.Response(
        200,
        json={"userAction": [CANARY]} if request.url.path == "/auth/action" else CHALLENGE,
    ),
    "malformed user action": lambda request: httpx.Response(
        200,
        json={"userAction": f"{CANARY} x"} if request.url.path == "/auth/action" else CHALLENGE,
    ),
    "call refused": lambda request: {
        "/auth/action/init": httpx.Response(200, json=CHALLENGE),
        "/auth/action": httpx.Response(200, json={"userAction": CANARY}),
    }.get(request.url.path, httpx.Response(400, json={"error": {"message": "no"}})),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_call_whose_answer_is_refused(case: str) -> None:
    transport = httpx.MockTransport(ANSWERS[case])
    dfns = DfnsClient(
        CANARY, PlainSigner(), http_client=httpx.Client(transport=transport), max_attempts=1
    )
    asynchronous = AsyncDfnsClient(
        CANARY, PlainSigner(), http_client=httpx.AsyncClient(transport=transport), max_attempts=1
    )

    assert leaks_of(lambda: dfns.post("/wallets")) == []
    assert leaks_of(lambda: anyio.run(asynchronous.post, "/wallets")) == []


def test_request_that_cannot_be_written_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = TimedBackend(httpcore.SyncBackend()).connect_tcp(*server.getsockname())

        def write() -> None:
            try:
                with deadlines.within(0):
                    stream.write(CANARY.encode())
            except httpcore.WriteTimeout as error:
                raise TransportTimeoutError("the time is over") from error

        with closing(stream):
            assert leaks_of(lambda: wait_for(submit(write))) == []


@pytest.mark.parametrize("header", ["Host", "X-HTTP-Method-Override"])
def test_call_that_an_event_hook_changes(header: str) -> None:
    def change(request: httpx.Request) -> None:
        request.headers[header] = "x.example"

    http = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=CHALLENGE)),
        event_hooks={"request": [change]},
    )
    dfns = DfnsClient(CANARY, PlainSigner(), http_client=http, max_attempts=1)

    assert leaks_of(lambda: dfns.post("/wallets")) == []
    assert leaks_of(lambda: dfns.get("/wallets")) == []


@pytest.mark.parametrize(
    "request_of",
    [
        lambda http: http.post("/wallets"),
        lambda http: http.post("/wallets", content=b"\xff"),
        lambda http: http.post("/wallets", data={"a": "b"}),
        lambda http: http.patch("/wallets", extensions={"dfns_signed": True}),
        lambda http: http.get("https://elsewhere.example/wallets"),
        lambda http: http.post("/wallets/../keys"),
    ],
)
@pytest.mark.parametrize("signer", [None, PlainSigner()])
def test_request_that_is_not_sent(
    request_of: Callable[[httpx.Client], object], signer: PlainSigner | None
) -> None:
    http = httpx.Client(
        auth=UserActionAuth(lambda: CANARY, signer),
        base_url="https://api.dfns.io",
        transport=httpx.MockTransport(ANSWERS["refused"]),
    )

    assert leaks_of(lambda: request_of(http)) == []


@pytest.mark.parametrize("failure", [httpx.ConnectError("no"), httpx.ReadTimeout("late")])
def test_call_that_gets_no_answer(failure: httpx.TransportError) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    http = httpx.Client(transport=httpx.MockTransport(fail))
    dfns = DfnsClient(CANARY, http_client=http, max_attempts=1)

    assert leaks_of(lambda: dfns.get("/wallets")) == []
