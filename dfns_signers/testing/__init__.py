"""What tests of a program that signs with dfns-signers need."""
