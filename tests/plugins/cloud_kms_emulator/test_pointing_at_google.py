"""The contract tests can be pointed at Google."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugins.cloud_kms_emulator.conftest import Client, GoogleService
from tests.plugins.gcp_kms.test_credentials import USER_INFO


def test_both_clients_keep_the_credentials_that_each_test_hides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as machine:
        machine.setenv("CLOUDSDK_CONFIG", str(tmp_path))
        file = tmp_path / "application_default_credentials.json"
        file.write_text(json.dumps({**USER_INFO, "quota_project_id": "p-1"}), encoding="utf-8")
        service = GoogleService("p-1", "europe-west1")

    async def credentials_of(client: Client) -> object:
        return client.transport._credentials

    assert service.call_async(credentials_of) is not None
