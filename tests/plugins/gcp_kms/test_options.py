"""What the ``[signer]`` table may say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dfns_signers_gcp_kms.options import GcpKmsCreate, GcpKmsList, GcpKmsOptions
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, RING

VERSION = f"{CRYPTO_KEY}/cryptoKeyVersions/12"
IDS = st.text("abcXYZ019_-", min_size=1, max_size=63)


def options(**values: Any) -> GcpKmsOptions:
    return GcpKmsOptions.model_validate({"key_version": VERSION, **values})


@pytest.mark.parametrize(
    "printed",
    [
        VERSION,
        f"  {VERSION}\n",
        f"/{VERSION}",
        f"//cloudkms.googleapis.com/{VERSION}",
        f"//cloudkms.googleapis.com/v1/{VERSION}",
    ],
)
def test_name_is_taken_as_google_prints_it(printed: str) -> None:
    assert options(key_version=printed).key_version == VERSION


@given(ring=IDS, key=IDS, number=st.integers(1, 10**6))
def test_every_name_that_google_allows_is_taken(ring: str, key: str, number: int) -> None:
    name = (
        f"projects/example.com:p-1/locations/global/keyRings/{ring}/cryptoKeys/{key}"
        f"/cryptoKeyVersions/{number}"
    )

    assert options(key_version=name).key_version == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "key",
        RING,
        f"{VERSION}/",
        f"{CRYPTO_KEY}/cryptoKeyVersions/",
        f"{CRYPTO_KEY}/cryptoKeyVersions/latest",
        f"{CRYPTO_KEY}/cryptoKeyVersions/1٢",
        f"https://example.org/v1/{VERSION}",
        VERSION.replace("keyRings", "keyrings"),
        VERSION.replace("/cryptoKeys/key", "/cryptoKeys/" + "k" * 64),
        VERSION.replace("p-1", "p/1"),
        f"x{VERSION}",
    ],
)
def test_other_text_is_refused_with_the_form_that_is_expected(name: str) -> None:
    with pytest.raises(ValidationError, match="expected the full name of a key version, projects/"):
        options(key_version=name)


def test_name_of_a_crypto_key_passes_for_its_versions_to_be_listed() -> None:
    assert options(key_version=CRYPTO_KEY).key_version == CRYPTO_KEY


@pytest.mark.parametrize(
    ("endpoint", "target", "plaintext"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://localhost:8080/", "localhost:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://127.9.9.9:1", "127.9.9.9:1", True),
        ("https://cloudkms.me-central2.rep.googleapis.com", None, False),
        ("https://kms.example.org:8443", "kms.example.org:8443", False),
        ("cloudkms.googleapis.com", "cloudkms.googleapis.com", False),
    ],
)
def test_endpoint_is_a_tls_host_or_plaintext_on_this_machine(
    endpoint: str, target: str | None, plaintext: bool
) -> None:
    connection = options(endpoint=endpoint)

    assert connection.target == (target or endpoint.removeprefix("https://"))
    assert connection.is_plaintext is plaintext


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://kms.example.org:8080",
        "http://10.0.0.1:8080",
        "http://127.0.0.1.example.org:80",
        "http://localhost@example.org:80",
    ],
)
def test_plaintext_to_another_host_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError, match=r"unencrypted: use https|without user"):
        options(endpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["", "http://127.0.0.1", "ftp://host", "https://", "https://host/path", "https://host:x"],
)
def test_endpoint_of_another_form_is_refused(endpoint: str) -> None:
    with pytest.raises(
        ValidationError, match=r"expected (https://HOST|an address such as https://)"
    ):
        options(endpoint=endpoint)


@pytest.mark.parametrize(
    "credentials",
    [
        {"credentials_file": "key.json"},
        {"impersonate_service_account": "signer@p-1.iam.gserviceaccount.com"},
        {"quota_project": "p-2"},
    ],
)
def test_credentials_are_not_sent_over_plaintext(credentials: dict[str, str]) -> None:
    (name,) = credentials

    with pytest.raises(ValidationError, match=f"{name} cannot be used with the endpoint http:"):
        options(endpoint="http://127.0.0.1:1", **credentials)

    assert name in options(endpoint="https://127.0.0.1:1", **credentials).model_fields_set


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"max_attempts": 0},
        {"generation_timeout": -1},
        {"impersonate_service_account": "not an address"},
        {"quota_project": ""},
        {"region": "europe-west1"},
    ],
)
def test_value_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rsa_bits": 1024},
        {"protection_level": "EXTERNAL"},
        {"crypto_key": "k"},
    ],
)
def test_key_that_cannot_be_created_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GcpKmsCreate.model_validate({"crypto_key": CRYPTO_KEY, **wrong})


@pytest.mark.parametrize("parent", ["projects/p/locations/global", RING, CRYPTO_KEY, f"/{RING}"])
def test_location_ring_and_key_can_be_listed(parent: str) -> None:
    assert GcpKmsList.model_validate({"parent": parent}).parent == parent.lstrip("/")


@pytest.mark.parametrize("parent", ["", "projects/p", VERSION])
def test_nothing_else_can_be_listed(parent: str) -> None:
    with pytest.raises(ValidationError, match="expected projects/PROJECT/locations/LOCATION"):
        GcpKmsList.model_validate({"parent": parent})
