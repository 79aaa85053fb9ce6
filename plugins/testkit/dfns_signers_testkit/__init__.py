"""Local servers with keys on them, for tests and demonstrations of dfns-signers."""
