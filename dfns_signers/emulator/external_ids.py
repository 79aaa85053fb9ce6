"""Idempotency by ``externalId`` (Dfns docs)."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from dfns_signers.emulator.refusals import Refusal
from dfns_signers.emulator.strict_json import canonical


@dataclass
class ExternalIds:
    """The external ids in use; once bound to an entity they stay bound."""

    _bound: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict, repr=False)

    def entity(self, noun: str, path: str, body: dict[str, Any]) -> str | None:
        """The id of the entity that the same request has made before, if it has.

        Refused with 409 when another request has used the external id: another path or body.
        """
        external_id = body.get("externalId")
        bound = self._bound.get((noun, external_id)) if external_id else None
        if bound is None:
            return None
        identifier, request = bound
        if request == _request(path, body):
            return identifier
        raise Refusal(
            HTTPStatus.CONFLICT,
            "externalId",
            f"Conflicting {noun.lower()} with same externalId",
            duplicate={"id": identifier, "externalId": external_id},
        )

    def bind(self, noun: str, path: str, body: dict[str, Any], identifier: str) -> None:
        """Remember which entity the request has made, if it names an external id."""
        if "externalId" in body:
            self._bound[noun, body["externalId"]] = (identifier, _request(path, body))


def _request(path: str, body: dict[str, Any]) -> str:
    return f"{path} {canonical(body)}"
