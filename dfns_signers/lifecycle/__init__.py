"""The life of a key as a credential: create, register, rotate, diagnose."""

from dfns_signers.backends.diagnosis import Finding, Policy, Severity
from dfns_signers.lifecycle.doctor import aexamine, examine, least_policy, worst

__all__ = ["Finding", "Policy", "Severity", "aexamine", "examine", "least_policy", "worst"]
