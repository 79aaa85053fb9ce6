"""What the examination reads off a token, without sending it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.config.loading import load_profile
from dfns_signers.emulator.requests.wire import new_jwt, to_base64url
from dfns_signers.lifecycle import Finding, Severity
from dfns_signers.lifecycle.token_checks import readable_token
from dfns_signers.sealed import Sealed
from dfns_signers.user_action.token_claims import TokenClaims, read_claims
from tests.core.client.values import hostile_leaves, json_trees

METADATA = "https://custom/app_metadata"
CLAIMS = {"iss": "auth.dfns.io", METADATA: {"orgId": "or-1", "userId": "us-1", "tokenKind": "Pat"}}


def findings(base_url: str, **claims: object) -> list[Finding]:
    token = new_jwt({**CLAIMS, **claims})
    return list(readable_token(load_profile(auth_token=token, base_url=base_url)))


def test_claims_are_kind_organisation_user_issuer_and_expiry() -> None:
    assert read_claims(Sealed(new_jwt({**CLAIMS, "exp": 5}))) == TokenClaims(
        kind="Pat", organisation="or-1", user_id="us-1", issuer="auth.dfns.io", expires_at=5
    )


def test_token_of_a_tenant_has_the_tenant_for_its_organisation() -> None:
    claims = read_claims(Sealed(new_jwt({METADATA: {"tenantId": "te-1"}})))

    assert claims is not None
    assert claims.organisation == "te-1"


def test_organisation_is_else_that_of_the_subject() -> None:
    claims = read_claims(Sealed(new_jwt({"sub": "or-2"})))

    assert claims is not None
    assert claims.organisation == "or-2"


@given(json_trees(hostile_leaves, st.sampled_from(["exp", "iss", "sub", METADATA, "orgId"])))
def test_any_claims_give_findings_and_no_error(claims: object) -> None:
    token = new_jwt(claims)  # type: ignore[arg-type]  # any JSON

    assert list(readable_token(load_profile(auth_token=token)))


@pytest.mark.parametrize("expiry", [10**400, float("inf"), 253_402_300_800, -1])
def test_expiry_that_is_not_a_date_is_as_none(expiry: float) -> None:
    token = new_jwt({**CLAIMS, "exp": expiry})

    claims = read_claims(Sealed(token))

    assert claims is not None
    assert claims.expires_at is None
    assert list(readable_token(load_profile(auth_token=token)))


@given(st.from_regex(r"[!-~]{1,40}", fullmatch=True) | st.binary().map(to_base64url))
def test_any_other_text_has_no_claims(part: str) -> None:
    assert read_claims(Sealed(part.replace(".", ""))) is None


@pytest.mark.parametrize(
    ("issuer", "base_url"),
    [
        ("dfns-signers-emulator", "https://api.dfns.io"),
        ("auth.uae.dfns.io", "https://api.dfns.io"),
        ("dfns.auth.ninja", "https://api.dfns.io"),
        ("dfns.auth.ninja", "https://api.uae.dfns.io"),
    ],
)
def test_token_of_another_place_is_warned_of(issuer: str, base_url: str) -> None:
    (finding,) = findings(base_url, iss=issuer)

    assert finding.severity is Severity.WARNING
    assert issuer in finding.message
    assert base_url in finding.message


@pytest.mark.parametrize(
    ("issuer", "base_url"),
    [
        ("auth.dfns.io", "https://api.dfns.io"),
        ("auth.dfns.io", "https://api.uae.dfns.io"),
        ("auth.uae.dfns.io", "https://api.uae.dfns.io"),
        ("dfns.auth.ninja", "https://api.dfns.ninja"),
        ("dfns.auth.ninja", "https://dfns.example.com/gateway"),
        ("dfns-signers-emulator", "http://127.0.0.1:8080"),
    ],
)
def test_token_that_may_be_of_that_place_is_not(issuer: str, base_url: str) -> None:
    (finding,) = findings(base_url, iss=issuer)

    assert finding.severity is Severity.OK
    for part in ("Pat of us-1", "organisation or-1", "without expiry"):
        assert part in finding.message


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("Pat", Severity.WARNING), ("ServiceAccount", Severity.WARNING), ("Token", Severity.OK)],
)
def test_expiry_within_a_week_is_warned_of_where_tokens_live_long(
    kind: str, severity: Severity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    claims = {METADATA: {"tokenKind": kind}, "exp": 1_000_000 + 6 * 86_400}

    (finding,) = findings("https://api.dfns.io", **claims)

    assert finding.severity is severity


def test_expiry_after_a_week_is_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)

    (finding,) = findings("https://api.dfns.io", exp=1_000_000 + 8 * 86_400)

    assert finding.severity is Severity.OK
    assert "expires 1970-01-20 13:46 UTC" in finding.message
