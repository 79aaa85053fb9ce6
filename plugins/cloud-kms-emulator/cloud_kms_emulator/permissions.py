"""Denials, in the manner of IAM: a permission is denied on a resource and all below it."""

from __future__ import annotations

from cloud_kms_emulator.refusals import denied


class Permissions:
    """Everything is allowed until it is denied."""

    def __init__(self) -> None:
        self._denied: set[tuple[str, str]] = set()

    def deny(self, permission: str, resource: str) -> None:
        """Deny a permission on a resource and below it; ``*`` is every permission."""
        self._denied.add((permission, resource.rstrip("/")))

    def allow(self, permission: str, resource: str) -> None:
        """Take one denial back."""
        self._denied.discard((permission, resource.rstrip("/")))

    def check(self, permission: str, resource: str) -> None:
        """Refuse with PERMISSION_DENIED where it is denied."""
        if self.is_denied(permission, resource):
            raise denied(permission, resource)

    def is_denied(self, permission: str, resource: str) -> bool:
        """Whether it is denied on the resource, or on one that this is in."""
        return any(
            found in {"*", permission} and f"{resource}/".startswith(f"{scope}/")
            for found, scope in self._denied.copy()
        )
