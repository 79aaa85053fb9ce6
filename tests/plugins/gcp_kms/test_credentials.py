"""Which Google credentials are used, as google-auth gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from google.auth import compute_engine, identity_pool, impersonated_credentials
from google.auth.aws import Credentials as AwsCredentials
from google.auth.credentials import AnonymousCredentials
from google.oauth2 import credentials as user
from google.oauth2 import service_account

from dfns_signers.errors import ConfigurationError, KeyAccessError
from dfns_signers_gcp_kms.client import connect
from dfns_signers_gcp_kms.credentials import SCOPES, load_credentials, member_of
from dfns_signers_gcp_kms.options import GcpKmsConnection
from tests.plugins.gcp_kms.keys import rsa_key
from tests.secrecy import CANARY

EMAIL = "signer@p-1.iam.gserviceaccount.com"
OTHER = "other@p-2.iam.gserviceaccount.com"


def service_account_info() -> dict[str, str]:
    pem = rsa_key(2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": pem.decode(),
        "private_key_id": "k-1",
        "token_uri": "http://127.0.0.1:1/token",
    }


def workload_identity_info(source: dict[str, str]) -> dict[str, object]:
    return {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "http://127.0.0.1:1/token",
        "credential_source": source,
    }


AWS_SOURCE = {
    "environment_id": "aws1",
    "regional_cred_verification_url": "https://sts.{region}.amazonaws.com",
}
USER_INFO = {
    "type": "authorized_user",
    "client_id": "id",
    "client_secret": CANARY,
    "refresh_token": CANARY,
}


@pytest.fixture
def save(tmp_path: Path) -> Any:
    def save_(info: object) -> Path:
        path = tmp_path / "credentials.json"
        path.write_text(info if isinstance(info, str) else json.dumps(info), encoding="utf-8")
        return path

    return save_


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        (service_account_info(), service_account.Credentials),
        (workload_identity_info({"file": "/token"}), identity_pool.Credentials),
        (workload_identity_info(AWS_SOURCE), AwsCredentials),
        (USER_INFO, user.Credentials),
    ],
    ids=["service account", "workload identity", "workload identity of AWS", "user"],
)
def test_file_of_each_kind_is_read(info: dict[str, object], kind: type[object], save: Any) -> None:
    found = load_credentials(GcpKmsConnection(credentials_file=save(info)))

    assert type(found) is kind


def test_service_account_is_the_one_of_the_file_with_the_scope_of_cloud_kms(save: Any) -> None:
    found: Any = load_credentials(GcpKmsConnection(credentials_file=save(service_account_info())))

    assert found.service_account_email == EMAIL
    assert found.scopes == ["https://www.googleapis.com/auth/cloudkms"]


def test_application_default_credentials_are_used_where_no_file_is_named(
    save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(save(service_account_info())))

    found: Any = load_credentials(GcpKmsConnection())

    assert found.service_account_email == EMAIL


def test_missing_credentials_are_reported_with_googles_own_hint() -> None:
    with pytest.raises(KeyAccessError) as caught:
        load_credentials(GcpKmsConnection())

    assert "set credentials_file" in str(caught.value)
    assert "https://cloud.google.com/docs/authentication" in str(caught.value)


class Recorded:
    """Google's token service, as far as impersonation asks it: keeps what it was asked."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.bodies: list[str] = []

    def __call__(self, url: str, *, body: Any = None, **_more: Any) -> Any:
        self.urls.append(url)
        self.bodies.append(str(body))
        return self

    status = 200
    headers: dict[str, str] = {}  # noqa: RUF012  # google-auth reads it only
    data = json.dumps(
        {
            "access_token": "t",
            "expires_in": 3600,
            "accessToken": "t",
            "expireTime": "2099-01-01T00:00:00Z",
        }
    ).encode()


def test_impersonated_account_is_asked_for_with_the_credentials_of_the_file(save: Any) -> None:
    found: Any = load_credentials(
        GcpKmsConnection(
            credentials_file=save(service_account_info()), impersonate_service_account=OTHER
        )
    )
    service = Recorded()

    found.refresh(service)

    assert isinstance(found, impersonated_credentials.Credentials)
    own_token, impersonation = service.urls
    assert own_token == "http://127.0.0.1:1/token"
    assert impersonation.endswith(f"/serviceAccounts/{OTHER}:generateAccessToken")
    assert SCOPES[0] in service.bodies[1]


IMPERSONATION = (
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
    f"{OTHER}:generateAccessToken"
)


@pytest.mark.parametrize(
    ("info", "options", "member"),
    [
        (service_account_info(), {}, f"serviceAccount:{EMAIL}"),
        (
            service_account_info(),
            {"impersonate_service_account": OTHER},
            f"serviceAccount:{OTHER}",
        ),
        (workload_identity_info({"file": "/token"}), {}, None),
        (
            {
                **workload_identity_info({"file": "/token"}),
                "service_account_impersonation_url": IMPERSONATION,
            },
            {},
            f"serviceAccount:{OTHER}",
        ),
        (USER_INFO, {}, None),
        ({**USER_INFO, "account": "ada@example.org"}, {}, "user:ada@example.org"),
    ],
    ids=["account", "impersonated", "workload", "workload as an account", "user", "named user"],
)
def test_member_is_whose_the_credentials_are_as_far_as_they_say_it(
    info: dict[str, object], options: dict[str, str], member: str | None, save: Any
) -> None:
    credentials = load_credentials(
        GcpKmsConnection.model_validate({"credentials_file": save(info), **options})
    )

    assert member_of(credentials) == member


def test_member_of_a_machine_is_unknown_until_google_was_asked() -> None:
    on_a_machine: Any = compute_engine.Credentials

    assert member_of(on_a_machine()) is None


def test_quota_project_is_charged(save: Any) -> None:
    found: Any = load_credentials(
        GcpKmsConnection(credentials_file=save(service_account_info()), quota_project="p-3")
    )

    assert found.quota_project_id == "p-3"


def test_quota_project_that_cannot_be_charged_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    anonymous: Any = AnonymousCredentials
    monkeypatch.setattr("google.auth.default", lambda scopes: (anonymous(), None))

    with pytest.raises(ConfigurationError, match="quota_project cannot be used with Anonymous"):
        load_credentials(GcpKmsConnection(quota_project="p-3"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("not json", "is not valid JSON"),
        ("[1]", "does not contain a JSON object"),
        ({"type": "external_account_authorized_user"}, "expected one of service_account"),
        ({}, "is of the type None"),
        ({"type": "service_account", "client_email": CANARY}, "is not a complete service_account"),
        ({"type": "external_account", "audience": CANARY}, "is not a complete external_account"),
        ({"type": "authorized_user", "client_id": CANARY}, "is not a complete authorized_user"),
    ],
)
def test_file_that_cannot_be_used_is_refused_without_its_content(
    content: object, told: str, save: Any
) -> None:
    path = save(content)

    with pytest.raises(ConfigurationError, match=told) as caught:
        load_credentials(GcpKmsConnection(credentials_file=path))

    assert str(path) in str(caught.value)
    assert CANARY not in str(caught.value)
    # What google-auth and json raise may quote the file, and so must not be chained.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load_credentials(GcpKmsConnection(credentials_file=tmp_path / "missing.json"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("GOOGLE_API_USE_MTLS_ENDPOINT", "sometimes"), ("GOOGLE_CLOUD_UNIVERSE_DOMAIN", " ")],
)
def test_environment_that_google_refuses_is_a_configuration_error(
    variable: str, value: str, save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(
        ConfigurationError,
        match=r"cannot set up Google Cloud KMS: .+check the environment variables GOOGLE_API",
    ):
        connect(GcpKmsConnection(credentials_file=save(service_account_info())))


def test_default_credentials_that_are_no_object_are_a_configuration_error(
    save: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(save([CANARY])))

    with pytest.raises(ConfigurationError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        load_credentials(GcpKmsConnection())


def test_credentials_file_that_is_nested_too_deep_is_a_configuration_error(save: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not valid JSON"):
        load_credentials(GcpKmsConnection(credentials_file=save("[" * 200_000)))
