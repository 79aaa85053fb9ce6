"""Answers that are not messages."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers_gcp_kms.errors import DamagedAnswerError
from tests.plugins.gcp_kms.conftest import MAX_ATTEMPTS, OpenKey
from tests.plugins.gcp_kms.keys import verify


class Cutting(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Passes calls on, and cuts the end off a number of answers of AsymmetricSign."""

    def __init__(self, channel: grpc.Channel, number: int) -> None:
        self._channel = channel
        self._left = number

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        def handle(request: bytes, _context: object) -> bytes:
            whole = bytes(self._channel.unary_unary(details.method, bytes, bytes)(request))
            self._left -= details.method.endswith("/AsymmetricSign")
            is_cut = details.method.endswith("/AsymmetricSign") and self._left >= 0
            return whole[:-3] if is_cut else whole

        return grpc.unary_unary_rpc_method_handler(handle)


@contextmanager
def cutting(emulator: CloudKmsEmulator, number: int) -> Iterator[str]:
    """Where a service listens that cuts answers of the emulator."""
    with grpc.insecure_channel(emulator.target) as channel, ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, handlers=[Cutting(channel, number)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(grace=None).wait(10)


def test_answer_that_does_not_decode_is_asked_for_again(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    with cutting(cloud_kms, 1) as target:
        key = open_key(version, target=target)

        verify("EC_SIGN_ED25519", key.public_key, key.sign(b"m"), b"m")


def test_answers_that_never_decode_are_reported_as_damaged(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    with cutting(cloud_kms, MAX_ATTEMPTS) as target:
        key = open_key(version, target=target)

        with pytest.raises(DamagedAnswerError, match=f"cannot sign with the key {version}: .*"):
            key.sign(b"m")
