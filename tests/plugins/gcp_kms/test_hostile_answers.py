"""Answers that no Cloud KMS would give: each is an error of ours, fit to be shown."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.cloud import kms_v1
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.errors import (
    DfnsSignersError,
    KeyAccessError,
    KeyStoreUnavailableError,
    SigningKeyError,
)
from dfns_signers.plugin import SigningKey
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, verify

DETAILS = "grpc-status-details-bin"
ODD_TEXT = "\x1b[31m\r\n\u202e" + "a" * 5000

Answer = Callable[[str, bytes, grpc.ServicerContext], bytes]


class Service(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Answers every method with bytes of the test's choice; else as the emulator does."""

    def __init__(self, emulator: grpc.Channel) -> None:
        self._emulator = emulator
        self.odd: dict[str, Answer] = {}

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        method = details.method.rpartition("/")[2]

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            if method in self.odd:
                return self.odd[method](method, request, context)
            return bytes(self._emulator.unary_unary(details.method, bytes, bytes)(request))

        return grpc.unary_unary_rpc_method_handler(handle)


@pytest.fixture
def hostile(cloud_kms: CloudKmsEmulator) -> Iterator[tuple[Service, str]]:
    """A service between the backend and the emulator, and its endpoint."""
    with grpc.insecure_channel(cloud_kms.target) as channel, ThreadPoolExecutor(4) as pool:
        service = Service(channel)
        server = grpc.server(pool, handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield service, f"http://127.0.0.1:{port}"
        server.stop(grace=None).wait(10)


def opened(endpoint: str, name: str, **limits: Any) -> SigningKey:
    backend = GcpKmsBackend()
    table = {"key_version": name, "endpoint": endpoint, "max_attempts": 1, **limits}
    return backend.open(backend.options.model_validate(table))


@contextmanager
def shown_safely() -> Iterator[None]:
    """Lets errors of ours pass whose message is one printable line of bounded length."""
    said = ""
    try:
        yield
    except DfnsSignersError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 3000


anything = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

texts = st.one_of(st.text(max_size=20), st.just(ODD_TEXT))
numbers = st.one_of(st.integers(0, 60), st.integers(-(2**31), 2**31 - 1))
checksums = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
METHODS = {
    "GetPublicKey": st.builds(
        dict,
        pem=texts,
        name=texts,
        algorithm=numbers,
        pem_crc32c=checksums,
    ).map(lambda fields: serialized(kms_v1.PublicKey, fields)),
    "AsymmetricSign": st.builds(
        dict,
        name=texts,
        signature=st.binary(max_size=80),
        signature_crc32c=checksums,
        verified_data_crc32c=st.booleans(),
    ).map(lambda fields: serialized(kms_v1.AsymmetricSignResponse, fields)),
}


def serialized(kind: Any, fields: dict[str, Any]) -> bytes:
    raw = kind.pb(kind())
    for name, value in fields.items():
        if name.endswith("_crc32c") and not isinstance(value, bool):
            if value is not None:
                getattr(raw, name).value = value
        else:
            setattr(
                raw,
                name,
                value.encode("utf-8", "replace").decode() if isinstance(value, str) else value,
            )
    return bytes(raw.SerializeToString())


statuses = st.sampled_from([code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])


@pytest.mark.parametrize("method", METHODS)
@anything
@given(data=st.data())
def test_any_answer_leads_to_a_signature_or_to_an_error_of_ours(
    method: str, data: st.DataObject, hostile: tuple[Service, str], version: str
) -> None:
    service, endpoint = hostile
    body = data.draw(st.one_of(METHODS[method], st.binary(max_size=200)))
    service.odd = {method: lambda *_: body}

    with shown_safely(), opened(endpoint, version) as key:
        verify("EC_SIGN_ED25519", key.public_key, key.sign(b"m"), b"m")


@anything
@given(
    code=statuses,
    said=st.text(st.characters(codec="utf-8"), max_size=50),
    details=st.one_of(
        st.binary(max_size=100),
        st.builds(
            lambda code, said: bytes(Status(code=code, message=said).SerializeToString()),
            numbers,
            st.text(st.characters(codec="utf-8"), max_size=20),
        ),
    ),
)
def test_any_refusal_is_an_error_of_ours(
    code: grpc.StatusCode,
    said: str,
    details: bytes,
    hostile: tuple[Service, str],
    version: str,
) -> None:
    service, endpoint = hostile
    service.odd = {"AsymmetricSign": refusing(code, said, [(DETAILS, details)])}

    with shown_safely(), opened(endpoint, version) as key, pytest.raises(SigningKeyError) as caught:
        key.sign(b"m")

    assert "report it to the author" not in str(caught.value)


def refusing(code: grpc.StatusCode, said: str, trailers: Sequence[tuple[str, Any]]) -> Answer:
    def refuse(_method: str, _request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata(tuple(trailers))
        context.abort(code, said)
        raise AssertionError("abort never returns")

    return refuse


@pytest.mark.parametrize(
    "details",
    [b"\xff\xff\xff", Status(code=5, message="no").SerializeToString()],
    ids=["damaged", "of another status"],
)
def test_refusal_with_unreadable_details_keeps_its_status(
    details: bytes, hostile: tuple[Service, str], version: str
) -> None:
    service, endpoint = hostile
    denied = grpc.StatusCode.PERMISSION_DENIED
    service.odd = {"GetPublicKey": refusing(denied, "not you", [(DETAILS, details)])}

    with pytest.raises(KeyAccessError, match="PERMISSION_DENIED: not you; the caller lacks"):
        opened(endpoint, version)


def too_long(_method: str, _request: bytes, _context: grpc.ServicerContext) -> bytes:
    return serialized(kms_v1.PublicKey, {"pem": "a" * 1_100_000})


def with_long_head(_method: str, _request: bytes, context: grpc.ServicerContext) -> bytes:
    context.send_initial_metadata(tuple((f"x-{number}", "a" * 7000) for number in range(9)))
    return b""


@pytest.mark.parametrize("answer", [too_long, with_long_head])
def test_answer_that_is_too_long_is_refused_and_not_taken_for_a_quota(
    answer: Answer, hostile: tuple[Service, str], version: str
) -> None:
    service, endpoint = hostile
    service.odd = {"GetPublicKey": answer}

    with pytest.raises(SigningKeyError, match="longer than any of Cloud KMS") as caught:
        opened(endpoint, version)

    assert not caught.value.retriable


def test_state_that_google_s_client_does_not_know_is_shown_by_its_number(
    hostile: tuple[Service, str], version: str
) -> None:
    service, endpoint = hostile
    odd = serialized(
        kms_v1.CryptoKeyVersion, {"name": version, "state": 99, "protection_level": 98}
    )
    page = kms_v1.ListCryptoKeyVersionsResponse.pb(kms_v1.ListCryptoKeyVersionsResponse())
    page.crypto_key_versions.add().ParseFromString(odd)
    service.odd = {"ListCryptoKeyVersions": lambda *_: page.SerializeToString()}
    backend = GcpKmsBackend()
    table = {"parent": CRYPTO_KEY, "endpoint": endpoint}

    (listed,) = backend.list_keys(backend.list_options.model_validate(table))

    assert (listed.state, listed.algorithm) == ("number 99", None)
    assert "(number 98)" in listed.kind


def test_empty_pages_without_end_are_an_error(hostile: tuple[Service, str]) -> None:
    service, endpoint = hostile
    page = serialized(kms_v1.ListCryptoKeyVersionsResponse, {"next_page_token": "more"})
    service.odd = {"ListCryptoKeyVersions": lambda *_: page}

    with pytest.raises(DfnsSignersError, match="100 pages one after the other were empty"):
        opened(endpoint, CRYPTO_KEY)


def test_service_that_accepts_and_is_silent_is_unavailable(version: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"

        with pytest.raises(KeyStoreUnavailableError, match="cannot open the key"):
            opened(endpoint, version, timeout=0.3)
