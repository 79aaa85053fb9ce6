"""Who owns keys and wallets: the organisation, or the user that they are delegated to."""

from __future__ import annotations

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.requests.messages import bad_request, forbidden, not_found
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.state import Record, State


def wallets_of(state: State, key_id: str) -> list[Record]:
    """The wallets of a key."""
    return [wallet for wallet in state.wallets.all() if wallet["signingKey"]["id"] == key_id]


def delegate_key(state: State, key: Record, owner: User) -> None:
    """Give a key and its wallets to a user; refused unless the key was made for that."""
    held = state.held_keys[key["id"]]
    if held.owner_id or not held.may_be_delegated:
        found = (
            f"is delegated to {held.owner_id} already"
            if held.owner_id
            else "was made without delayDelegation"
        )
        raise bad_request("key.delegation", f"Key {key['id']} cannot be delegated: it {found}.")
    held.owner_id = owner.user_id
    key["custodial"] = False
    state.events.publish("key.delegated", {"key": key})
    for wallet in wallets_of(state, key["id"]):
        wallet["signingKey"]["delegatedTo"] = owner.user_id
        wallet["custodial"] = False
        state.events.publish("wallet.delegated", {"wallet": wallet})


def require_owner(call: Call, key_id: str) -> None:
    """Refuse a caller who wants to use a key that is delegated to somebody else."""
    owner_id = call.state.held_keys[key_id].owner_id
    if owner_id not in {None, call.token.user.user_id}:
        raise forbidden(
            "key.owner",
            f"Key {key_id} is delegated: only its owner {owner_id} can sign with it.",
            expected=owner_id,
            found=call.token.user.user_id,
        )


def new_owner(call: Call) -> User | None:
    """Who owns what the call makes: whom it is delegated to, or the end user who calls."""
    caller, body = call.token.user, call.body
    if caller.kind == "EndUser":
        return caller
    if "delegateTo" not in body:
        return None
    delegate_to = user(call, body["delegateTo"])
    return None if body.get("delayDelegation") else delegate_to


def user(call: Call, user_id: str) -> User:
    """A user; refused with 404 if there is none."""
    found = call.state.directory.users.get(user_id)
    if found is None:
        raise not_found("User", user_id)
    return found


def is_chosen(
    state: State, owner_id: str | None, *, owner: str | None = None, owner_name: str | None = None
) -> bool:
    """Whether a list has what this user owns.

    Args:
        state: the memory of the emulator.
        owner_id: who owns it, if anybody does.
        owner: the id or the username that is asked for.
        owner_name: the username that is asked for.
    """
    owning = state.directory.users.get(owner_id or "")
    name = owning.name if owning else None
    return owner in {None, owner_id, name} and owner_name in {None, name}
