"""Logins by Kubernetes and JWT, the way the documentation sets them up."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from dfns_signers.errors import KeyAccessError
from tests.core.client.scripted import ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.kubernetes import NAMESPACE, SERVICE_ACCOUNT, Issuer, review
from tests.plugins.vault_transit.operator import Operator
from tests.secrecy import CANARY
from tests.support.certificates import Authority


@pytest.fixture
def jwt_path(operator: Operator, issuer: Issuer) -> str:
    path = operator.auth_method("jwt")
    operator.client.auth.jwt.configure(jwt_validation_pubkeys=[issuer.public_pem], path=path)
    return path


def jwt_role(operator: Operator, path: str, key: str) -> str:
    operator.client.auth.jwt.create_role(
        name="ci",
        role_type="jwt",
        user_claim="sub",
        allowed_redirect_uris=[],
        bound_audiences=["vault"],
        bound_subject="project-7",
        token_policies=[operator.signing_policy(key)],
        path=path,
    )
    return "ci"


def test_jwt_login_signs(
    operator: Operator, jwt_path: str, issuer: Issuer, open_key: OpenKey, tmp_path: Path
) -> None:
    key = operator.key()
    role = jwt_role(operator, jwt_path, key)
    file = tmp_path / "jwt"
    file.write_text(issuer.token(sub="project-7", aud="vault"))
    auth = {"method": "jwt", "path": jwt_path, "role": role, "jwt": {"file": str(file)}}

    signature = open_key(key, auth=auth).sign(b"message")

    assert is_signature(operator.public_key(key), b"message", signature)


def test_jwt_of_somebody_else_is_refused_without_repeating_it(
    operator: Operator,
    jwt_path: str,
    issuer: Issuer,
    open_key: OpenKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = operator.key()
    role = jwt_role(operator, jwt_path, key)
    token = issuer.token(sub="project-8", aud="vault")
    monkeypatch.setenv("CI_JWT", token)
    auth = {"method": "jwt", "path": jwt_path, "role": role, "jwt": {"env": "CI_JWT"}}

    with pytest.raises(KeyAccessError) as refused:
        open_key(key, auth=auth)

    message = str(refused.value)
    assert "log in by jwt" in message
    assert "check 'role' (ci) and 'jwt' (environment variable CI_JWT)" in message
    assert token not in message


@pytest.fixture
def kubernetes_path(own_server: Operator, fake: ScriptedApi, issuer: Issuer, tmp_path: Path) -> str:
    fake.on("/apis/authentication.k8s.io/v1/tokenreviews", always=review)
    path = own_server.auth_method("kubernetes")
    Authority(tmp_path)
    config = {
        "kubernetes_ca_cert": (tmp_path / "ca.pem").read_text(),
        "kubernetes_host": fake.url,
        "token_reviewer_jwt": f"{CANARY}-reviewer",
        "pem_keys": [issuer.public_pem],
        "disable_local_ca_jwt": True,
    }
    own_server.client.adapter.post(f"/v1/auth/{path}/config", json=config)
    return path


def test_kubernetes_login_with_the_token_of_the_pod_signs(
    own_server: Operator,
    kubernetes_path: str,
    issuer: Issuer,
    open_key: OpenKey,
    tmp_path: Path,
) -> None:
    key = own_server.key()
    own_server.client.auth.kubernetes.create_role(
        "signer",
        bound_service_account_names=[SERVICE_ACCOUNT],
        bound_service_account_namespaces=[NAMESPACE],
        policies=[own_server.signing_policy(key)],
        mount_point=kubernetes_path,
    )
    mounted = tmp_path / "token"
    mounted.write_text(issuer.pod_token())
    auth = {
        "method": "kubernetes",
        "path": kubernetes_path,
        "role": "signer",
        "jwt": {"file": str(mounted)},
    }

    signature = open_key(key, at=own_server, auth=auth).sign(b"message")

    assert is_signature(own_server.public_key(key), b"message", signature)


def test_kubernetes_role_that_does_not_exist_is_named(
    own_server: Operator, kubernetes_path: str, issuer: Issuer, open_key: OpenKey
) -> None:
    auth = {
        "method": "kubernetes",
        "path": kubernetes_path,
        "role": "stranger",
        "jwt": issuer.pod_token(),
    }

    with pytest.raises(KeyAccessError, match=r"check 'role' \(stranger\)"):
        open_key("k", at=own_server, auth=auth)


def test_kubernetes_outside_a_pod_is_refused_at_load(open_key: OpenKey) -> None:
    with pytest.raises(ValidationError, match="serviceaccount/token cannot be read"):
        open_key("k", auth={"method": "kubernetes", "role": "signer"})
