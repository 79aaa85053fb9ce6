"""The ``aws-kms`` backend of dfns-signers: keys in AWS Key Management Service."""
