"""Creating and listing keys, in code and from the command line."""

from __future__ import annotations

from typing import Any

import pytest
import tomlkit

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.errors import (
    KeyNotFoundError,
    KeyStoreUnavailableError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_vault_transit.options import VaultTransitCreate, VaultTransitList
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.core.cli.support import Command
from tests.core.client.scripted import CUT, Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, open_with, settings_for
from tests.plugins.vault_transit.operator import Operator, unique
from tests.plugins.vault_transit.relay import CUTS, Cut, Relay


def create(operator: Operator, algorithm: Algorithm, **options: Any) -> KeyDescription:
    settings = {**settings_for(operator), "key": unique("key"), **options}
    return VaultTransitBackend().create(algorithm, VaultTransitCreate.model_validate(settings))


def find(operator: Operator, algorithm: Algorithm, **options: Any) -> KeyDescription | None:
    settings = {**settings_for(operator), **options}
    return VaultTransitBackend().find(algorithm, VaultTransitCreate.model_validate(settings))


def listed(operator: Operator, **options: Any) -> dict[str, KeyDescription]:
    settings = {**settings_for(operator), **options}
    found = VaultTransitBackend().list_keys(VaultTransitList.model_validate(settings))
    return {key.reference: key for key in found}


@pytest.mark.parametrize(
    ("algorithm", "options", "kind"),
    [
        (Algorithm.ED25519, {}, "ed25519"),
        (Algorithm.ES256, {}, "ecdsa-p256"),
        (Algorithm.RS256, {}, "rsa-2048"),
        (Algorithm.RS256, {"key_type": "rsa-3072"}, "rsa-3072"),
    ],
)
def test_created_key_is_opened_by_the_table_that_comes_with_it(
    algorithm: Algorithm, options: dict[str, str], kind: str, operator: Operator
) -> None:
    made = create(operator, algorithm, **options)

    table = {**made.signer, "auth": settings_for(operator)["auth"]}
    assert table.pop("backend") == "vault-transit"
    with open_with(table) as key:
        signature = key.sign(b"message")
    assert (made.algorithm, made.kind, made.state) == (algorithm, kind, "latest version 1")
    assert is_signature(operator.public_key(made.signer["key"]), b"message", signature)


def test_table_of_a_key_in_a_namespace_names_it(own_server: Operator) -> None:
    namespace = unique("team")
    own_server.client.sys.create_namespace(namespace)
    inside = Operator(own_server.server, namespace=namespace)

    made = create(inside, Algorithm.ED25519, namespace=namespace)

    assert made.signer["namespace"] == namespace


def test_secp256k1_is_refused_with_what_there_is(operator: Operator) -> None:
    with pytest.raises(UnsupportedKeyError, match=r"no keys for ES256K.*has no secp256k1"):
        create(operator, Algorithm.ES256K)


def test_type_of_another_algorithm_is_refused(operator: Operator) -> None:
    with pytest.raises(UnsupportedKeyError, match="rsa-2048, rsa-3072, rsa-4096 do"):
        create(operator, Algorithm.RS256, key_type="ecdsa-p256")


def test_name_that_is_taken_is_refused_and_the_key_stays(operator: Operator) -> None:
    name = operator.key("rsa-2048")
    before = operator.described(name)

    with pytest.raises(SigningKeyError, match=f"{name}: there is one already"):
        create(operator, Algorithm.ED25519, key=name)

    assert operator.described(name) == before


def test_name_that_is_taken_at_the_same_moment_is_refused(
    fake: ScriptedApi, operator: Operator
) -> None:
    """Vault takes no notice of a second creation."""
    others = operator.described(operator.key("rsa-2048"))
    path = "/v1/transit/keys/k"
    fake.on(path, Reply(status=404, body={"errors": []}), Reply(status=204))
    fake.on(path, Reply(body={"data": others}))

    with pytest.raises(SigningKeyError, match="transit/k: there is one already"):
        create(operator, Algorithm.ED25519, address=fake.url, mount="transit", key="k")


@pytest.mark.parametrize("failure", [Reply(status=500), Reply(status=503), CUT], ids=repr)
def test_creation_that_may_have_happened_says_so_and_is_not_sent_again(
    failure: Reply, fake: ScriptedApi, operator: Operator
) -> None:
    path = "/v1/transit/keys/k"
    fake.on(path, Reply(status=404, body={"errors": []}), always=failure)

    with pytest.raises(
        SigningKeyError,
        match=r"transit/k may have been created.*keys list.*cannot create the key transit/k",
    ) as raised:
        create(
            operator, Algorithm.ED25519, address=fake.url, mount="transit", key="k", max_attempts=3
        )

    assert not raised.value.retriable
    assert [seen.method for seen in fake.sent(path)] == ["GET", "POST"]


@pytest.mark.parametrize("status", [307, 412, 429, 472])
def test_creation_that_was_turned_away_may_be_tried_again(
    status: int, fake: ScriptedApi, operator: Operator
) -> None:
    path = "/v1/transit/keys/k"
    fake.on(path, Reply(status=404, body={"errors": []}), always=Reply(status=status))

    with pytest.raises(KeyStoreUnavailableError, match=r"^cannot create the key transit/k"):
        create(operator, Algorithm.ED25519, address=fake.url, mount="transit", key="k")


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_interrupted_creation_is_found_and_not_made_twice(cut: Cut, operator: Operator) -> None:
    name = unique("key")
    with Relay(operator.server.address, cut) as relay, pytest.raises(SigningKeyError):
        create(operator, Algorithm.ES256, key=name, address=relay.url)

    found = find(operator, Algorithm.ES256, key=name)
    made = found or create(operator, Algorithm.ES256, key=name)

    assert (found is not None) == ((cut.number, cut.has_arrived) >= (3, True))
    assert (made.signer["key"], made.signer["key_version"]) == (name, 1)
    assert operator.described(name)["latest_version"] == 1


def test_key_that_is_found_is_described_as_it_was_when_it_was_made(operator: Operator) -> None:
    made = create(operator, Algorithm.RS256, key_type="rsa-3072")

    same = {"key": made.signer["key"]}
    assert find(operator, Algorithm.RS256, **same) == made
    assert find(operator, Algorithm.RS256, **same, key_type="rsa-3072") == made


@pytest.mark.parametrize("where", [{}, {"mount": "nowhere"}], ids=["key", "mount"])
def test_nothing_is_found_where_there_is_nothing(where: dict[str, str], operator: Operator) -> None:
    assert find(operator, Algorithm.ES256, key=unique("key"), **where) is None


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("rsa-2048", {"key_type": "rsa-4096"}, "with the type rsa-2048, and rsa-4096 was asked"),
        ("ecdsa-p384", {}, "of the type 'ecdsa-p384', which Dfns does not accept"),
    ],
)
def test_key_of_another_type_under_the_name_is_an_error(
    kind: str, options: dict[str, str], said: str, operator: Operator
) -> None:
    name = operator.key(kind)

    with pytest.raises(UnsupportedKeyError, match=said):
        find(operator, Algorithm.RS256, key=name, **options)


def test_list_has_every_signing_key_with_the_table_of_its_latest_version(
    operator: Operator, open_key: OpenKey
) -> None:
    usable, other = operator.key(versions=3), operator.key("ecdsa-p384")
    operator.key("aes256-gcm96")

    found = listed(operator)

    at = operator.server.address
    key, unsupported = (found[f"{operator.mount}/{name} at {at}"] for name in (usable, other))
    assert (key.algorithm, key.signer["key_version"]) == (Algorithm.ED25519, 3)
    assert (unsupported.algorithm, unsupported.kind, unsupported.signer) == (
        None,
        "ecdsa-p384",
        {},
    )
    assert "aes256-gcm96" not in {one.kind for one in found.values()}


def test_list_of_an_empty_mount_is_empty(operator: Operator) -> None:
    empty = unique("empty")
    operator.client.sys.enable_secrets_engine("transit", path=empty)

    assert listed(operator, mount=empty) == {}
    operator.client.sys.disable_secrets_engine(empty)


def test_list_of_a_mount_that_does_not_exist_is_an_error(operator: Operator) -> None:
    with pytest.raises(KeyNotFoundError, match="nothing is mounted at 'nowhere'"):
        listed(operator, mount="nowhere")


@pytest.mark.parametrize("body", [{}, {"data": {"keys": "k"}}, {"data": None}], ids=str)
def test_list_of_another_shape_is_refused(
    body: object, fake: ScriptedApi, operator: Operator
) -> None:
    fake.on("/v1/transit/keys", always=Reply(body=body))

    with pytest.raises(SigningKeyError, match="not what Vault's API documents"):
        listed(operator, address=fake.url, mount="transit")


def test_command_line_creates_and_lists_where_the_profile_is(
    operator: Operator, tmp_path_factory: pytest.TempPathFactory, command: Command
) -> None:
    file = tmp_path_factory.mktemp("profile") / "config.toml"
    signer = {**settings_for(operator), "backend": "vault-transit", "key": "current"}
    file.write_text(tomlkit.dumps({"profiles": {"p": {"signer": signer}}}))
    file.chmod(0o600)
    name = unique("key")
    profile = ["--profile", "p", "--config", str(file), "--json"]

    made = command("keys", "create", "ES256", "-o", f"key={name}", *profile)
    found = command("keys", "list", *profile)

    assert made.code == found.code == 0
    created = made.json
    assert created["signer"]["key"] == name
    assert created["reference"] in {one["reference"] for one in found.json}
