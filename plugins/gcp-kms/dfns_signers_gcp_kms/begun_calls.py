"""Signatures that are begun without a thread to wait for them, on a channel of our own.

Google's client has no such call but on asyncio, with a client for each event loop. What it adds to
a call is added here: the header by which Google routes it, that of the client library, its errors.
"""

from __future__ import annotations

from typing import Any, Final

import grpc
from google.api_core import exceptions as google
from google.api_core.gapic_v1 import routing_header
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import base

_METHOD: Final = "/google.cloud.kms.v1.KeyManagementService/AsymmetricSign"
_client_info: Final[Any] = base.DEFAULT_CLIENT_INFO
_CLIENT: Final = _client_info.to_grpc_metadata()
_route: Final[Any] = routing_header.to_grpc_metadata
_error_of: Final[Any] = google.from_grpc_error
_error_from: Final[Any] = google.from_grpc_status


class SigningCalls:
    """Begins calls of AsymmetricSign.

    Args:
        channel: without interceptors, for those may block an event loop.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self._sign = channel.unary_unary(
            _METHOD,
            request_serializer=kms_v1.AsymmetricSignRequest.pb().SerializeToString,
            response_deserializer=kms_v1.AsymmetricSignResponse.pb().FromString,
        )

    def begin(self, request: Any, timeout: float) -> Any:
        """Send a request in protobuf; returns grpc's future of the answer.

        Raises:
            ValueError: the channel is closed.
        """
        route = _route((("name", request.name),))
        return self._sign.future(request, timeout=timeout, metadata=(route, _CLIENT))


def answer_of(call: Any) -> Any:
    """The answer to a call that is over.

    Raises:
        GoogleAPICallError: as Google's client would raise it.
    """
    try:
        return call.result()
    except grpc.FutureCancelledError as error:  # the channel was closed
        raise _error_from(call.code(), call.details()) from error
    except grpc.RpcError as error:
        raise _error_of(error) from error
