"""Entities that are kept: where they are, what is made up of them, and what calls make of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dfns_signers.emulator.kept.places import (
    answers_with_parent,
    has_actions,
    item_of,
    last,
    noun_of,
    parent,
    prefix_of,
    shapes_of_item,
)
from dfns_signers.emulator.kept.values import Values, choices_of_member
from dfns_signers.emulator.keys.key_material import KEY_STORE
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import Collection, Record, State, change

_UNDER_WAY: Final = frozenset({"Pending", "Processing", "InProgress"})
_STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "accept": ("Accepted",),
    "activate": ("Active", "Enabled"),
    "archive": ("Archived",),
    "cancel": ("Canceled", "Cancelled"),
    "complete": ("Completed", "Confirmed"),
    "confirm": ("Completed", "Confirmed"),
    "deactivate": ("Deactivated", "Inactive", "Disabled"),
    "delete": ("Archived", "Deleted"),
    "reject": ("Rejected",),
    "release": ("Released",),
    "replace": ("Replaced",),
    "transfer": ("Transferred",),
}
"""What an entity is after a call, of which the first is taken that its shape lists."""
_STORES: Final = "/key-stores"
_EXCHANGES: Final = "/exchanges"
# What official SDKs call the same thing in the answer and in the request.
_SAME: Final = {"quotedSourceAsset": "sourceAsset", "quotedTargetAsset": "targetAsset"}


def collection_at(state: State, path: str) -> Collection:
    """The entities of a collection, by its path in the table; there is one key store."""
    own = {
        "/wallets": state.wallets,
        "/wallets/{walletId}/transfers": state.collection("Transfer"),
        "/keys": state.keys,
        "/v2/policies": state.policies,
        "/permissions": state.permissions,
    }
    found = own.get(path) or state.collection(noun_of(path))
    if path == _STORES and not found.all():
        found.add({**KEY_STORE, "primary": True})
    return found


def add_kept(
    state: State,
    path: str,
    parameters: Mapping[str, str],
    given: Mapping[str, Any],
    requester: Mapping[str, str],
) -> Record:
    """Keep a new entity; what its shapes require and nobody gave is made up.

    Args:
        state: the memory of the emulator.
        path: its collection, as the table has it.
        parameters: the path parameters.
        given: its members.
        requester: who makes it, as answers name them.
    """
    record: Record = {
        **given,
        **parameters,
        "id": new_id(prefix_of(path)),
        "dateCreated": iso_date(state.clock()),
    }
    context = {**record, "requester": requester, "requestBody": given}
    values = values_of(state, {**context, last(item_of(path))[1:-1]: record["id"]}, path)
    for schema in shapes_of_item(path):
        record.update(values.fitting(schema, record))
    _move_by_itself(state, path, record)
    if answers_with_parent(path):
        above = parent(path)
        belongs_to = collection_at(state, parent(above)).get(parameters[last(above)[1:-1]])
        belongs_to[last(path)].append(record)
    if path == _EXCHANGES:  # no operation makes an account: an exchange comes with one
        accounts = f"{item_of(path)}/accounts"
        add_kept(state, accounts, {"exchangeId": record["id"]}, {}, requester)
    return collection_at(state, path).add(record)


def values_of(state: State, known: Mapping[str, Any], path: str = "") -> Values:
    """Makes values of what is known of a call; a wallet says its network."""
    wallet_id = known.get("walletId")
    wallet = next((one for one in state.wallets.all() if one["id"] == wallet_id), {})
    renamed = {name: known[other] for name, other in _SAME.items() if other in known}
    others = {name: value for name, value in known.items() if name not in {"id", "status"}}
    return Values(
        {
            "orgId": state.directory.org_id,
            **({"network": wallet["network"]} if wallet else {}),
            **renamed,
            **others,
        },
        iso_date(state.clock()),
        prefix_of(path) if path else "id",
    )


def change_kept(record: Record, members: Mapping[str, Any], fixed: Mapping[str, str]) -> None:
    """Change members of an entity, but for those that name it."""
    stay = {"id", "dateCreated", *fixed}
    change(record, {name: value for name, value in members.items() if name not in stay})


def set_status(record: Record, path: str, verb: str) -> None:
    """Give an entity the status that a call leads to, if its shape lists one."""
    wanted = _STATUSES.get(verb.lower(), ())
    choices = _statuses(path)
    if not choices and not shapes_of_item(path):
        choices = wanted
    reached = [status for status in wanted if status in choices]
    if reached:
        record["status"] = reached[0]


def read_with_children(state: State, item: str, record: Record) -> Record:
    """An entity as it is read, and what is shown as a part of it."""
    for name in record.keys() & {"actions"}:
        if answers_with_parent(f"{item}/{name}"):
            for child in record[name]:
                state.progress.read(child)
    return state.progress.read(record)


def _move_by_itself(state: State, path: str, record: Record) -> None:
    """Let an entity that is under way be done when it is read, unless calls decide on it."""
    done = [status for status in _STATUSES["complete"] if status in _statuses(path)]
    if record.get("status") in _UNDER_WAY and done and not has_actions(path):
        state.progress.start(record["id"], [lambda: record.update(status=done[0])])


def _statuses(path: str) -> tuple[str, ...]:
    return tuple(
        status for schema in shapes_of_item(path) for status in choices_of_member(schema, "status")
    )
