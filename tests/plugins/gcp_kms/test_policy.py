"""The smallest policy for a key: what it grants, on what, to whom."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from dfns_signers_gcp_kms.options import GcpKmsOptions
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from tests.plugins.gcp_kms.keys import CRYPTO_KEY
from tests.plugins.gcp_kms.test_credentials import EMAIL, USER_INFO, service_account_info

SIGN = "cloudkms.cryptoKeyVersions.useToSign"
VIEW = "cloudkms.cryptoKeyVersions.viewPublicKey"
PLACEHOLDER = "serviceAccount:NAME@PROJECT.iam.gserviceaccount.com"


def commands(**more: Any) -> list[list[str]]:
    policy = GcpKmsBackend().policy(
        GcpKmsOptions.model_validate({"key_version": f"{CRYPTO_KEY}/cryptoKeyVersions/1", **more})
    )
    assert policy.kind == "gcloud commands"
    return [shlex.split(line) for line in policy.text.splitlines()]


def flags(words: list[str]) -> dict[str, str]:
    start = next(number for number, word in enumerate(words) if word.startswith("--"))
    return dict(zip(words[start::2], words[start + 1 :: 2], strict=True))


def test_policy_is_a_role_with_the_two_permissions_bound_on_this_crypto_key() -> None:
    role, binding = commands(impersonate_service_account=EMAIL)

    assert role[:5] == ["gcloud", "iam", "roles", "create", "dfnsSigner"]
    assert flags(role)["--project"] == "p-1"
    assert set(flags(role)["--permissions"].split(",")) == {SIGN, VIEW}
    assert binding[:5] == ["gcloud", "kms", "keys", "add-iam-policy-binding", "key"]
    assert flags(binding) == {
        "--keyring": "ring",
        "--location": "europe-west1",
        "--project": "p-1",
        "--member": f"serviceAccount:{EMAIL}",
        "--role": "projects/p-1/roles/dfnsSigner",
    }


@pytest.mark.parametrize(
    ("info", "member"),
    [
        (service_account_info(), f"serviceAccount:{EMAIL}"),
        ({**USER_INFO, "account": "ada@example.org"}, "user:ada@example.org"),
        (USER_INFO, PLACEHOLDER),
        ({"type": "service_account"}, PLACEHOLDER),
    ],
    ids=["service account", "user", "user without e-mail", "unusable"],
)
def test_policy_names_whose_the_credentials_file_is(
    info: dict[str, str], member: str, tmp_path: Path
) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(info), encoding="utf-8")

    _, binding = commands(credentials_file=file)

    assert flags(binding)["--member"] == member


def test_policy_takes_no_server_and_no_credentials_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "default.json"
    file.write_text(json.dumps(service_account_info()), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    _, binding = commands()

    assert flags(binding)["--member"] == PLACEHOLDER
