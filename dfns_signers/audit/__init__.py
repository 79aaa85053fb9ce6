"""A record of what was decided, signed and answered, chained by hashes."""

from dfns_signers.audit.settings import AuditSettings
from dfns_signers.audit.trail import AuditTrail

__all__ = ["AuditSettings", "AuditTrail"]
