"""The documented policies suffice, and one path less does not."""

from __future__ import annotations

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import KeyAccessError
from dfns_signers_vault_transit.options import VaultTransitCreate, VaultTransitList
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, settings_for
from tests.plugins.vault_transit.operator import Operator, unique
from tests.support.pages import blocks, section

KEY = "dfns-production"
SIGNING, CREATING, LISTING = blocks(section("vault-transit.md", "Smallest policies"), "hcl")
NOTHING = 'path "nowhere" { capabilities = ["read"] }'


def rules(policy: str, operator: Operator, key: str = KEY) -> list[str]:
    """The rules of a policy of the page, for a mount and a key of the test's."""
    mounted = policy.replace("transit/", f"{operator.mount}/").replace(KEY, key)
    return mounted.splitlines()


def token_auth(operator: Operator, *policy: str) -> dict[str, str]:
    """A token that has nothing beside the policy, not even 'default'."""
    token = operator.token(operator.policy("\n".join(policy)), no_default_policy=True)
    return {"method": "token", "token": token}


def test_signing_policy_suffices(operator: Operator, open_key: OpenKey) -> None:
    name = operator.key("ecdsa-p256")

    key = open_key(name, auth=token_auth(operator, *rules(SIGNING, operator, name)))

    assert is_signature(operator.public_key(name), b"message", key.sign(b"message"))


def test_signing_policy_allows_no_other_key(operator: Operator, open_key: OpenKey) -> None:
    name, other = operator.key(), operator.key()

    with pytest.raises(KeyAccessError):
        open_key(other, auth=token_auth(operator, *rules(SIGNING, operator, name)))


def test_without_the_first_rule_opening_fails_and_names_it(
    operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    reading, signing = rules(SIGNING, operator, name)

    with pytest.raises(KeyAccessError) as refused:
        open_key(name, auth=token_auth(operator, signing))

    assert reading in str(refused.value)


@pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
def test_without_the_second_rule_signing_fails_and_names_it(
    batch: dict[str, int] | None, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    reading, signing = rules(SIGNING, operator, name)
    key = open_key(name, auth=token_auth(operator, reading), batch=batch)

    with pytest.raises(KeyAccessError) as refused:
        key.sign(b"message")

    assert signing in str(refused.value)


def test_policy_that_an_error_names_is_what_was_missing(
    operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    with pytest.raises(KeyAccessError) as opening:
        open_key(name, auth=token_auth(operator, NOTHING))
    named = str(opening.value).partition("lack: ")[2]
    with pytest.raises(KeyAccessError) as signing:
        open_key(name, auth=token_auth(operator, named)).sign(b"message")
    named += "\n" + str(signing.value).partition("lack: ")[2]

    key = open_key(name, auth=token_auth(operator, named))

    assert is_signature(operator.public_key(name), b"message", key.sign(b"message"))


def test_creating_policy_suffices_and_without_it_the_error_names_it(operator: Operator) -> None:
    backend, name = VaultTransitBackend(), unique("key")
    (policy,) = rules(CREATING, operator, name)

    def create(allowed: str) -> str:
        settings = {**settings_for(operator), "auth": token_auth(operator, allowed), "key": name}
        return backend.create(Algorithm.ES256, VaultTransitCreate.model_validate(settings)).kind

    with pytest.raises(KeyAccessError) as refused:
        create(policy.replace(', "create", "update"', ""))
    assert policy in str(refused.value)
    assert create(policy) == "ecdsa-p256"


def test_listing_policy_suffices_and_one_path_less_does_not(operator: Operator) -> None:
    backend, name = VaultTransitBackend(), operator.key()
    listing, reading = rules(LISTING, operator)

    def names(*allowed: str) -> set[str]:
        settings = {**settings_for(operator), "auth": token_auth(operator, *allowed)}
        found = backend.list_keys(VaultTransitList.model_validate(settings))
        return {key.reference for key in found}

    assert f"{operator.mount}/{name} at {operator.server.address}" in names(listing, reading)
    assert names(listing) == set()
    with pytest.raises(KeyAccessError) as refused:
        names(reading)
    assert f"lack: {listing}\n{reading}" in str(refused.value)
