"""Ask the backend to examine a key, and look at what it finds."""

from __future__ import annotations

from typing import Any

from dfns_signers.plugin import Finding, Severity
from dfns_signers_vault_transit.options import VaultTransitOptions
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.plugins.vault_transit.conftest import settings_for
from tests.plugins.vault_transit.operator import Operator

OK, WARNING, FAILURE = Severity.OK, Severity.WARNING, Severity.FAILURE
HEALTHY = {"initialized": True, "sealed": False, "version": "1.18.0"}


def options_for(operator: Operator, key: str, **options: Any) -> VaultTransitOptions:
    settings = {**settings_for(operator), "key": key, "key_version": 1, **options}
    return VaultTransitOptions.model_validate(settings)


def diagnose(operator: Operator, key: str, **options: Any) -> list[Finding]:
    return list(VaultTransitBackend().diagnose(options_for(operator, key, **options)))


def summary(findings: list[Finding]) -> list[tuple[str, Severity]]:
    return [(one.check, one.severity) for one in findings]


def with_rules(operator: Operator, *rules: str) -> dict[str, str]:
    """A token that these rules allow, and nothing else."""
    token = operator.token(operator.policy("\n".join(rules)), no_default_policy=True)
    return {"method": "token", "token": token}


def the_one(findings: list[Finding], severity: Severity) -> Finding:
    (found,) = [one for one in findings if one.severity is severity]
    assert found.remedy
    return found


def rules_for(operator: Operator, name: str) -> list[str]:
    """The lines of the policy for a key."""
    policy = VaultTransitBackend().policy(options_for(operator, name))
    return policy.text.splitlines()
