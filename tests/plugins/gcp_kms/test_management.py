"""Creating and listing: key rings, keys and versions, in Python and on the command line."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from google.cloud.kms_v1 import KeyManagementServiceClient

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.errors import (
    KeyAccessError,
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_gcp_kms.options import (
    GcpKmsConnection,
    GcpKmsCreate,
    GcpKmsList,
    GcpKmsOptions,
)
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from tests.core.cli.support import Command
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, RING, seed, verify

LOCATION = RING.partition("/keyRings/")[0]

CREATED = [
    (Algorithm.ED25519, {}, "EC_SIGN_ED25519 (SOFTWARE)"),
    (Algorithm.ED25519, {"protection_level": "HSM"}, "EC_SIGN_ED25519 (HSM)"),
    (Algorithm.ES256, {}, "EC_SIGN_P256_SHA256 (SOFTWARE)"),
    (Algorithm.ES256K, {}, "EC_SIGN_SECP256K1_SHA256 (HSM)"),
    (Algorithm.RS256, {}, "RSA_SIGN_PKCS1_2048_SHA256 (SOFTWARE)"),
    (Algorithm.RS256, {"rsa_bits": 3072}, "RSA_SIGN_PKCS1_3072_SHA256 (SOFTWARE)"),
]


def create(
    cloud_kms: CloudKmsEmulator, algorithm: Algorithm = Algorithm.ED25519, **options: Any
) -> KeyDescription:
    values = {"crypto_key": CRYPTO_KEY, "endpoint": cloud_kms.endpoint, **options}
    return GcpKmsBackend().create(algorithm, GcpKmsCreate.model_validate(values))


def listed(cloud_kms: CloudKmsEmulator, parent: str = LOCATION) -> list[KeyDescription]:
    options = GcpKmsList(parent=parent, endpoint=cloud_kms.endpoint)
    return list(GcpKmsBackend().list_keys(options))


@pytest.mark.parametrize(("algorithm", "options", "kind"), CREATED)
def test_created_key_signs_with_the_table_that_comes_with_it(
    algorithm: Algorithm, options: dict[str, Any], kind: str, cloud_kms: CloudKmsEmulator
) -> None:
    created = create(cloud_kms, algorithm, create_key_ring=True, **options)

    table = dict(created.signer)
    assert table.pop("backend") == "gcp-kms"
    with GcpKmsBackend().open(GcpKmsOptions.model_validate(table)) as key:
        verify(kind.split(maxsplit=1)[0], key.public_key, key.sign(b"m"), b"m")
    assert created.reference == f"{CRYPTO_KEY}/cryptoKeyVersions/1"
    assert (created.algorithm, created.kind, created.state) == (algorithm, kind, "ENABLED")


def test_version_is_added_to_a_key_that_exists(cloud_kms: CloudKmsEmulator, version: str) -> None:
    created = create(cloud_kms, new_version=True)

    assert created.reference == f"{CRYPTO_KEY}/cryptoKeyVersions/2"
    assert len(listed(cloud_kms)) == 2


def test_key_that_exists_is_not_touched_unless_a_version_is_asked_for(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    with pytest.raises(
        SigningKeyError, match=r"create the crypto key .*exists already: .*new_version=true"
    ):
        create(cloud_kms)

    assert [one.reference for one in listed(cloud_kms)] == [version]


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [(Algorithm.ES256, {}), (Algorithm.ED25519, {"protection_level": "HSM"})],
)
def test_version_of_another_kind_than_its_key_is_refused(
    algorithm: Algorithm, options: dict[str, str], cloud_kms: CloudKmsEmulator, version: str
) -> None:
    with pytest.raises(UnsupportedKeyError, match=r"EC_SIGN_ED25519 at the .* SOFTWARE"):
        create(cloud_kms, algorithm, new_version=True, **options)

    assert [one.reference for one in listed(cloud_kms)] == [version]


def test_version_of_a_missing_key_is_refused(cloud_kms: CloudKmsEmulator, version: str) -> None:
    with pytest.raises(
        KeyNotFoundError, match=f"cannot read the crypto key {RING}/cryptoKeys/other"
    ):
        create(cloud_kms, new_version=True, crypto_key=f"{RING}/cryptoKeys/other")


def test_missing_key_ring_is_created_only_when_asked_for(cloud_kms: CloudKmsEmulator) -> None:
    with pytest.raises(KeyNotFoundError, match=r"no such key ring: .*create_key_ring=true"):
        create(cloud_kms)


def test_key_ring_that_exists_is_used(cloud_kms: CloudKmsEmulator, version: str) -> None:
    created = create(cloud_kms, create_key_ring=True, crypto_key=f"{RING}/cryptoKeys/second")

    assert created.reference == f"{RING}/cryptoKeys/second/cryptoKeyVersions/1"


def test_secp256k1_key_in_software_is_refused_before_anything_is_created(
    cloud_kms: CloudKmsEmulator,
) -> None:
    with pytest.raises(UnsupportedKeyError, match="at the protection level HSM only"):
        create(cloud_kms, Algorithm.ES256K, protection_level="SOFTWARE", create_key_ring=True)

    assert not cloud_kms.calls


@pytest.mark.parametrize(
    ("method", "permission"),
    [
        ("CreateKeyRing", "keyRings.create"),
        ("CreateCryptoKey", "cryptoKeys.create"),
        ("CreateCryptoKeyVersion", "cryptoKeyVersions.create"),
    ],
)
def test_denied_creation_names_the_permission(
    method: str, permission: str, cloud_kms: CloudKmsEmulator
) -> None:
    cloud_kms.deny(f"cloudkms.{permission}", "projects/p-1")

    with pytest.raises(KeyAccessError, match=f"cloudkms.{permission}, which is in roles/cloudkms"):
        create(cloud_kms, create_key_ring=True)


@pytest.mark.parametrize("method", ["CreateKeyRing", "CreateCryptoKey", "CreateCryptoKeyVersion"])
def test_creation_that_may_have_taken_effect_is_not_repeated(
    method: str, cloud_kms: CloudKmsEmulator
) -> None:
    cloud_kms.faults.add(Fault(method, status="UNAVAILABLE"))

    with pytest.raises(
        SigningKeyError, match=r"may have been created all the same: .*keys list"
    ) as caught:
        create(cloud_kms, create_key_ring=True)

    assert not caught.value.retriable
    assert [call.method for call in cloud_kms.calls].count(method) == 1


def test_creation_that_is_refused_for_its_rate_is_sent_once(cloud_kms: CloudKmsEmulator) -> None:
    cloud_kms.faults.add(Fault("CreateKeyRing", status="RESOURCE_EXHAUSTED"))

    with pytest.raises(KeyStoreThrottledError):
        create(cloud_kms, create_key_ring=True)

    assert [call.method for call in cloud_kms.calls] == ["CreateKeyRing"]


def test_emulator_is_reached_past_a_proxy_of_the_environment(
    cloud_kms: CloudKmsEmulator, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert [one.reference for one in listed(cloud_kms)] == [version]


def test_version_that_is_being_generated_is_awaited() -> None:
    # Each look at the clock takes a second: the version is enabled at the third request.
    with CloudKmsEmulator(generation_delay=4.0, clock=itertools.count().__next__) as slow:
        created = create(slow, create_key_ring=True)

        assert created.state == "ENABLED"
        methods = [call.method for call in slow.calls]
        assert methods.count("GetCryptoKeyVersion") > 1


def test_table_has_the_credentials_that_were_given() -> None:
    options = GcpKmsList.model_validate(
        {"parent": RING, "credentials_file": "key.json", "quota_project": "p-3", "timeout": 5}
    )

    assert options.given(GcpKmsConnection) == {
        "credentials_file": "key.json",
        "quota_project": "p-3",
        "timeout": 5.0,
    }


def test_version_that_is_not_generated_in_time_is_reported() -> None:
    with (
        CloudKmsEmulator(generation_delay=3600.0) as slow,
        pytest.raises(KeyStateError, match="cannot sign yet: it is PENDING_GENERATION"),
    ):
        create(slow, create_key_ring=True, generation_timeout=0)


def test_every_version_of_every_signing_key_is_listed_with_its_state(
    cloud_kms: CloudKmsEmulator,
) -> None:
    other_ring = f"{LOCATION}/keyRings/second/cryptoKeys/pss"
    ed25519 = seed(cloud_kms, "EC_SIGN_ED25519")
    disabled = seed(cloud_kms, "EC_SIGN_ED25519")
    cloud_kms.set_state(disabled, "DISABLED")
    pss = seed(cloud_kms, "RSA_SIGN_PSS_2048_SHA256", other_ring)
    seed(cloud_kms, "RSA_DECRYPT_OAEP_2048_SHA256", f"{RING}/cryptoKeys/decrypting")

    found = [(one.reference, one.algorithm, one.kind, one.state) for one in listed(cloud_kms)]

    assert found == [
        (ed25519, Algorithm.ED25519, "EC_SIGN_ED25519 (SOFTWARE)", "ENABLED"),
        (disabled, Algorithm.ED25519, "EC_SIGN_ED25519 (SOFTWARE)", "DISABLED"),
        (pss, None, "RSA_SIGN_PSS_2048_SHA256 (SOFTWARE)", "ENABLED"),
    ]
    assert [bool(one.signer) for one in listed(cloud_kms)] == [True, True, False]


@pytest.mark.parametrize(("parent", "number"), [(LOCATION, 2), (RING, 1), (CRYPTO_KEY, 1)])
def test_list_is_of_what_is_below_the_parent(
    parent: str, number: int, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    seed(cloud_kms, "EC_SIGN_ED25519", f"{LOCATION}/keyRings/second/cryptoKeys/key")

    assert len(listed(cloud_kms, parent)) == number


def test_list_goes_through_every_page() -> None:
    with CloudKmsEmulator(page_size=2) as emulator:
        names = [
            seed(emulator, "EC_SIGN_ED25519", f"{LOCATION}/keyRings/r{ring}/cryptoKeys/k{key}")
            for ring in range(3)
            for key in range(3)
        ]
        names[1:1] = [seed(emulator, "EC_SIGN_ED25519", names[0].rsplit("/", 2)[0]) for _ in "12"]

        assert [one.reference for one in listed(emulator)] == names


def test_list_is_repeated_while_cloud_kms_is_unavailable(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.faults.add(Fault("ListCryptoKeys", status="UNAVAILABLE"))

    assert [one.reference for one in listed(cloud_kms)] == [version]


def test_list_that_is_denied_names_the_permission(cloud_kms: CloudKmsEmulator) -> None:
    cloud_kms.deny("cloudkms.keyRings.list", LOCATION)

    with pytest.raises(KeyAccessError, match=r"cloudkms\.keyRings\.list"):
        listed(cloud_kms)


def run(command: Command, cloud_kms: CloudKmsEmulator, *arguments: str) -> Any:
    common = ("--backend", "gcp-kms", "-o", f"endpoint={cloud_kms.endpoint}", "--json")
    result = command("keys", *arguments, *common)
    assert result.code == 0, result.err
    return result.json


def test_command_line_creates_and_lists(cloud_kms: CloudKmsEmulator, command: Command) -> None:
    created = run(
        command,
        cloud_kms,
        *("create", "RS256", "-o", f"crypto_key={CRYPTO_KEY}", "-o", "create_key_ring=true"),
        *("-o", "rsa_bits=3072", "-o", "protection_level=HSM"),
    )
    found = run(command, cloud_kms, "list", "-o", f"parent={LOCATION}")

    assert created["kind"] == "RSA_SIGN_PKCS1_3072_SHA256 (HSM)"
    assert found == [created]


def listed_through_a_profile(
    command: Command, folder: Path, cloud_kms: CloudKmsEmulator, *options: str
) -> Any:
    config = folder / "config.toml"
    config.write_text(
        'default_profile = "p"\n[profiles.p.signer]\nbackend = "gcp-kms"\n'
        f'key_version = "{CRYPTO_KEY}/cryptoKeyVersions/7"\nendpoint = "{cloud_kms.endpoint}"\n',
        encoding="utf-8",
    )
    result = command("keys", "list", "--config", config, "--json", *options)
    assert result.code == 0, result.err
    return [one["reference"] for one in result.json]


def test_command_line_lists_the_location_of_the_key_of_a_profile(
    tmp_path: Path, cloud_kms: CloudKmsEmulator, version: str, command: Command
) -> None:
    other_ring = seed(cloud_kms, "EC_SIGN_ED25519", f"{LOCATION}/keyRings/other/cryptoKeys/k")

    assert set(listed_through_a_profile(command, tmp_path, cloud_kms)) == {version, other_ring}
    assert listed_through_a_profile(command, tmp_path, cloud_kms, "-o", f"parent={RING}") == [
        version
    ]


@pytest.mark.parametrize(
    ("name", "location"),
    [
        (f"{CRYPTO_KEY}/cryptoKeyVersions/1", LOCATION),
        (f"//cloudkms.googleapis.com/v1/{CRYPTO_KEY}", LOCATION),
        ("projects/p", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_place_to_list_is_derived_from_a_name_in_a_location(
    name: object, location: str | None
) -> None:
    derived = GcpKmsBackend().derived_options({"key_version": name})

    assert derived == ({"parent": location} if location else {})


def test_google_client_is_closed_after_creating_and_listing(
    cloud_kms: CloudKmsEmulator, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    transport: Any = KeyManagementServiceClient.get_transport_class("grpc")
    close = transport.close
    monkeypatch.setattr(transport, "close", lambda self: closed.append(close(self)))

    listed(cloud_kms)
    create(cloud_kms, new_version=True)
    with pytest.raises(SigningKeyError):
        GcpKmsBackend().open(GcpKmsOptions(key_version=f"{version}9", endpoint=cloud_kms.endpoint))

    assert len(closed) == 3
    assert asyncio.run(asyncio.to_thread(listed, cloud_kms))
