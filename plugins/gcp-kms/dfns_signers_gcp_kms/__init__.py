"""The backend ``gcp-kms`` of dfns-signers, and an emulator of Google Cloud KMS."""
