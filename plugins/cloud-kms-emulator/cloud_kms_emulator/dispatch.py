"""From a gRPC call to its operation, past faults, permissions and unknown fields."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NoReturn

import grpc
from grpc_status import rpc_status

from cloud_kms_emulator.faults import Fault, FaultQueue
from cloud_kms_emulator.fields import check_fields
from cloud_kms_emulator.iam import SERVICE as IAM
from cloud_kms_emulator.operations import KMS, Operation
from cloud_kms_emulator.permissions import Permissions
from cloud_kms_emulator.refusals import Refusal, unimplemented

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call that arrived.

    Attributes:
        method: name of the RPC.
        request: Google's message, as it was sent.
        metadata: what came along; of ``authorization`` the scheme only.
    """

    method: str
    request: Any
    metadata: Mapping[str, str] = field(default_factory=dict)


class Dispatcher(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Answers every RPC of the services; the ones that are not emulated with UNIMPLEMENTED.

    Args:
        operations: the RPCs by name.
        faults: queue that is asked before each call.
        permissions: what is denied.
    """

    def __init__(
        self, operations: Mapping[str, Operation], faults: FaultQueue, permissions: Permissions
    ) -> None:
        self.calls: deque[RecordedCall] = deque(maxlen=_REMEMBERED)
        self._operations = operations
        self._faults = faults
        self._permissions = permissions

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of a call; None for another service."""
        service, _, method = details.method.lstrip("/").partition("/")
        if service not in {KMS, IAM}:
            return None
        operation = self._operations.get(method)
        if operation is None or operation.service != service:
            return grpc.unary_unary_rpc_method_handler(_refuse(method))
        return grpc.unary_unary_rpc_method_handler(
            self._handler(method, operation),
            request_deserializer=operation.request.deserialize,
            response_serializer=operation.response.serialize,
        )

    def _handler(self, method: str, operation: Operation) -> Callable[[Any, Any], Any]:
        def handle(request: Any, context: grpc.ServicerContext) -> Any:
            # A copy: a fault may damage the request.
            sent = operation.request(request)
            self.calls.append(RecordedCall(method, sent, _metadata(context)))
            fault = self._faults.take(method)
            try:
                if fault is not None:
                    _delay(fault.delay, context)
                return self._answer(operation, request, fault)
            except Refusal as refusal:
                _abort(context, refusal)

        return handle

    def _answer(self, operation: Operation, request: Any, fault: Fault | None) -> Any:
        if fault is not None:
            if fault.status is not None:
                raise Refusal(grpc.StatusCode[fault.status], fault.message)
            fault.damage("request", operation.request.pb(request))
        resource = attrgetter(operation.resource)(request)
        if operation.permission is not None:
            self._permissions.check(f"cloudkms.{operation.permission}", resource)
        check_fields(operation.request.pb(request), operation.fields)
        response = operation.run(request)
        if fault is not None:
            fault.damage("response", operation.response.pb(response))
        return response


def _delay(seconds: float, context: grpc.ServicerContext) -> None:
    gone = threading.Event()
    if not context.add_callback(gone.set) or gone.wait(seconds):
        raise Refusal(grpc.StatusCode.CANCELLED, "the client gave up, or the emulator stops")


def _refuse(method: str) -> Callable[[Any, Any], Any]:
    def handle(_request: bytes, context: grpc.ServicerContext) -> NoReturn:
        _abort(context, unimplemented(f"has no {method}"))

    return handle


def _abort(context: grpc.ServicerContext, refusal: Refusal) -> NoReturn:
    context.abort_with_status(rpc_status.to_status(refusal.status()))
    raise AssertionError("abort_with_status returns never")


def _metadata(context: grpc.ServicerContext) -> Mapping[str, str]:
    pairs = {key: str(value) for key, value in context.invocation_metadata()}
    if "authorization" in pairs:
        pairs["authorization"] = pairs["authorization"].partition(" ")[0]
    return pairs
