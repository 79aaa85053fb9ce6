"""How the emulator refuses a call: a gRPC status with the details that Google's clients parse."""

from __future__ import annotations

from typing import Final

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import status_pb2  # type: ignore[import-untyped]
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]
    ErrorInfo,
    PreconditionFailure,
)

_DOMAIN: Final = "cloudkms.googleapis.com"


class Refusal(Exception):  # noqa: N818  # it becomes a status, and is no failure of the emulator
    """A call ends with this status.

    Args:
        code: gRPC status code.
        message: for people.
        details: messages of ``google.rpc`` that go along.
    """

    def __init__(self, code: grpc.StatusCode, message: str, *details: Message) -> None:
        super().__init__(message)
        self.code = code
        self.details = details

    def status(self) -> status_pb2.Status:
        """The status as Google's services send it in the trailing metadata."""
        status = status_pb2.Status(code=self.code.value[0], message=str(self))
        for detail in self.details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return status


def invalid(message: str) -> Refusal:
    """The request itself is wrong."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def unimplemented(message: str) -> Refusal:
    """The real service may be able to do this; the emulator is not."""
    return Refusal(grpc.StatusCode.UNIMPLEMENTED, f"the Cloud KMS emulator {message}")


def not_found(kind: str, name: str) -> Refusal:
    """There is no such resource."""
    return Refusal(grpc.StatusCode.NOT_FOUND, f"{kind} {name} not found.")


def already_exists(kind: str, name: str) -> Refusal:
    """There is such a resource already."""
    return Refusal(grpc.StatusCode.ALREADY_EXISTS, f"{kind} {name} already exists.")


def wrong_state(name: str, expected: str, state: str) -> Refusal:
    """The version is in another state; wording and violation are the real service's."""
    violation = PreconditionFailure.Violation(type=f"KEY_{state}", subject=name)
    return Refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        f"{name} is not {expected}, current state is: {state}.",
        PreconditionFailure(violations=[violation]),
    )


def wrong_purpose(name: str, purpose: str, operation: str) -> Refusal:
    """The key is there for something else."""
    return Refusal(
        grpc.StatusCode.FAILED_PRECONDITION,
        f"{name} has the purpose {purpose}, which does not allow {operation}.",
    )


def denied(permission: str, resource: str) -> Refusal:
    """The caller lacks a permission; wording and details are the real service's."""
    return Refusal(
        grpc.StatusCode.PERMISSION_DENIED,
        f"Permission '{permission}' denied on resource '{resource}' (or it may not exist).",
        ErrorInfo(
            reason="IAM_PERMISSION_DENIED",
            domain=_DOMAIN,
            metadata={"permission": permission, "resource": resource},
        ),
    )
