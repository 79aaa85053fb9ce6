"""What may be signed: rules over announced calls, which allow and never forbid."""

from dfns_signers.policy.policy import Decision, Policy, Verdict
from dfns_signers.policy.rule import Rule

__all__ = ["Decision", "Policy", "Rule", "Verdict"]
