"""Everything one emulator remembers; it ends with the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from dfns_signers.emulator.access.identities import Directory, User
from dfns_signers.emulator.access.ledger import (
    Action,
    ActionChallenge,
    CredentialChallenge,
    Ledger,
    LoginChallenge,
)
from dfns_signers.emulator.access.mail import SentCodes
from dfns_signers.emulator.chains.balances import Balances
from dfns_signers.emulator.credentials.relying_party import RelyingParty
from dfns_signers.emulator.keys.key_material import KeyMaterial
from dfns_signers.emulator.policies.pending import PendingApproval
from dfns_signers.emulator.progress import Progress
from dfns_signers.emulator.requests.fields import Check, string
from dfns_signers.emulator.requests.messages import Refusal, bad_request, not_found, quoted
from dfns_signers.emulator.requests.wire import canonical_json, from_base64url, to_base64url
from dfns_signers.emulator.webhooks.events import Events
from dfns_signers.emulator.webhooks.webhooks import Webhooks

Record: TypeAlias = dict[str, Any]
"""An entity as it is sent: wire names, JSON values."""

MAXIMUM_LIMIT: Final = 500
PAGING: Final[Mapping[str, Check]] = {
    "limit": string(1, 9, pattern="[0-9]+", expected="an integer in decimal digits"),
    "paginationToken": string(),
}


@dataclass(slots=True)
class HeldKey:
    """What a key does not show.

    Attributes:
        material: its private half.
        owner_id: the user that it is delegated to.
        may_be_delegated: whether it was made for that.
        derivations: how many paths were made up below it.
    """

    material: KeyMaterial
    owner_id: str | None = None
    may_be_delegated: bool = False
    derivations: int = 0


@dataclass(slots=True)
class Collection:
    """Entities of one kind, oldest first.

    Attributes:
        noun: what one of them is called in messages.
        page_size: entities on a page when the request names no limit.
    """

    noun: str
    page_size: int
    _records: dict[str, tuple[int, Record]] = field(default_factory=dict, repr=False)
    _added: int = 0
    # Id of the entity and the request that made it, by external id; once bound it stays bound.
    _bound: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    def add(self, record: Record) -> Record:
        """Keep an entity under its ``id``."""
        self._added += 1
        self._records[record["id"]] = (self._added, record)
        return record

    def get(self, identifier: str, **members: str) -> Record:
        """The entity of this id and with these members; refused with 404 if there is none."""
        _, record = self._records.get(identifier, (0, None))
        if record is None or not _has(record, members):
            raise not_found(self.noun, identifier)
        return record

    def remove(self, identifier: str) -> Record:
        """Forget the entity of this id; refused with 404 if there is none."""
        record = self.get(identifier)
        del self._records[identifier]
        return record

    def all(self) -> list[Record]:
        """Every entity."""
        return [record for _, record in self._records.values()]

    def made_before(self, path: str, body: Mapping[str, Any]) -> Record | None:
        """The entity that the same request has made before, by its ``externalId`` (Dfns docs).

        Refused with 409 when another request has used the external id: another path or body.
        """
        external_id = body.get("externalId", "")
        if external_id not in self._bound:
            return None
        identifier, request = self._bound[external_id]
        if request == _request(path, body):
            return self.get(identifier)
        raise Refusal(
            HTTPStatus.CONFLICT,
            "externalId",
            f"Conflicting {self.noun.lower()} with same externalId",
            duplicate={"id": identifier, "externalId": external_id},
        )

    def bind(self, identifier: str, path: str, body: Mapping[str, Any]) -> None:
        """Remember which entity the request has made, if it names an external id."""
        if "externalId" in body:
            self._bound[body["externalId"]] = (identifier, _request(path, body))

    def page(
        self,
        query: Mapping[str, str],
        chosen: Callable[[Record], bool] = lambda _: True,
        **members: str,
    ) -> Record:
        """One page as the Dfns docs describe it: ``items`` and perhaps ``nextPageToken``.

        It has the entities that are chosen and have these members.

        Pages go by the order of creation, so that deleting what was listed skips nothing.
        """
        limit = self._limit(query)
        after = self._position(query)
        found = [
            (position, record)
            for position, record in self._records.values()
            if position > after and chosen(record) and _has(record, members)
        ]
        page: Record = {"items": [record for _, record in found[:limit]]}
        if len(found) > limit:
            last = found[limit - 1][0]
            page["nextPageToken"] = to_base64url(f"{self.noun}:{last}".encode())
        return page

    def _limit(self, query: Mapping[str, str]) -> int:
        limit = query.get("limit")
        if limit is None:
            return self.page_size
        if not 1 <= int(limit) <= MAXIMUM_LIMIT:
            raise bad_request(
                "query.limit",
                f"limit must be 1 to {MAXIMUM_LIMIT}, and is {quoted(limit)}.",
                field="query.limit",
            )
        return int(limit)

    def _position(self, query: Mapping[str, str]) -> int:
        token = query.get("paginationToken")
        if token is None:
            return 0
        try:
            noun, _, digits = from_base64url(token).decode("utf-8").partition(":")
            position = int(digits)
        except ValueError:
            raise _foreign_token() from None
        if noun != self.noun or not 0 < position < self._added:
            raise _foreign_token()
        return position


class State:
    """The memory of one emulator."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        exact_payloads: bool,
        challenge_lifetime: float,
        user_action_lifetime: float,
        page_size: int,
        enforce_permissions: bool = True,
        relying_party: RelyingParty,
    ) -> None:
        self.clock = clock
        self.relying_party = relying_party
        self.exact_payloads = exact_payloads
        self.enforce_permissions = enforce_permissions
        self.directory = Directory(clock)
        self.action_challenges = Ledger[ActionChallenge](clock, challenge_lifetime)
        self.credential_challenges = Ledger[CredentialChallenge](clock, challenge_lifetime)
        self.login_challenges = Ledger[LoginChallenge](clock, challenge_lifetime)
        self.credential_codes: dict[str, tuple[User, float]] = {}
        self.mail = SentCodes()
        self.user_actions = Ledger[Action](clock, user_action_lifetime)
        self.events = Events()
        self.progress = Progress()
        self.balances = Balances()
        self._page_size = page_size
        self._collections: dict[str, Collection] = {}
        self.wallets = Collection("Wallet", page_size)
        self.keys = Collection("Key", page_size)
        self.signatures = Collection("Signature", page_size)
        self.policies = Collection("Policy", page_size)
        self.permissions = Collection("Permission", page_size)
        self.held_keys: dict[str, HeldKey] = {}
        # Ids of wallets, by the job that made them.
        self.bulk_wallets: dict[str, set[str]] = {}
        self.pending: dict[str, PendingApproval] = {}
        self.webhooks = Webhooks(clock, self.collection("Webhook"), self.collection("WebhookEvent"))
        self.events.subscribers.append(self.webhooks.publish)

    def collection(self, noun: str) -> Collection:
        """The entities of one kind, by what one of them is called."""
        return self._collections.setdefault(noun, Collection(noun, self._page_size))


def change(record: Record, members: Mapping[str, Any]) -> None:
    """Set members of an entity; null takes one away."""
    for name, value in members.items():
        if value is None:
            record.pop(name, None)
        else:
            record[name] = value


def _has(record: Record, members: Mapping[str, str]) -> bool:
    return all(record[name] == value for name, value in members.items())


def _request(path: str, body: Mapping[str, Any]) -> str:
    return f"{path} {canonical_json(body)}"


def _foreign_token() -> Refusal:
    return bad_request(
        "query.paginationToken",
        "paginationToken must be a nextPageToken that this list has answered with.",
        field="query.paginationToken",
    )
