"""TestIamPermissions, of the service ``google.iam.v1.IAMPolicy`` that Cloud KMS serves as well."""

from __future__ import annotations

from typing import Any, Final

from google.iam.v1 import iam_policy_pb2  # type: ignore[import-untyped]
from google.protobuf.message import Message

from cloud_kms_emulator.names import check_one_of
from cloud_kms_emulator.permissions import Permissions
from cloud_kms_emulator.refusals import Refusal, invalid
from cloud_kms_emulator.store import Store

SERVICE: Final = "google.iam.v1.IAMPolicy"


class PlainMessage:
    """A protobuf class without a class of Google's around it, used in the manner of those."""

    def __init__(self, kind: type[Message]) -> None:
        self._kind = kind

    def __call__(self, message: Message | None = None) -> Message:
        """A copy."""
        copy = self._kind()
        if message is not None:
            copy.CopyFrom(message)
        return copy

    def pb(self, message: Message) -> Message:
        """The message in protobuf, which it is."""
        return message

    def deserialize(self, data: bytes) -> Message:
        """Read a message."""
        return self._kind.FromString(data)

    def serialize(self, message: Message) -> bytes:
        """Write a message."""
        return message.SerializeToString()


REQUEST: Final = PlainMessage(iam_policy_pb2.TestIamPermissionsRequest)
RESPONSE: Final = PlainMessage(iam_policy_pb2.TestIamPermissionsResponse)


class IamOperations:
    """What the emulator says of permissions."""

    def __init__(self, store: Store, permissions: Permissions) -> None:
        self._store = store
        self._permissions = permissions

    def test_iam_permissions(self, request: Any) -> Any:
        """Those of the permissions that the caller has; none on a resource that is missing."""
        kind = check_one_of(("KeyRing", "CryptoKey"), request.resource)
        for permission in request.permissions:
            if not permission.startswith("cloudkms.") or "*" in permission:
                raise invalid(f"Permission {permission} is not valid for this resource.")
        read = self._store.ring if kind == "KeyRing" else self._store.key
        try:
            read(request.resource)
        except Refusal:
            return RESPONSE()
        granted = [
            one
            for one in request.permissions
            if not self._permissions.is_denied(one, request.resource)
        ]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=granted)
