"""The backend ``gcp-kms`` of dfns-signers."""
