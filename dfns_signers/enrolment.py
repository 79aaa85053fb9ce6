"""The former name of ``dfns_signers.registration``."""

from dfns_signers.registration import aattest, attest, new_credential_id

__all__ = ["aattest", "attest", "new_credential_id"]
