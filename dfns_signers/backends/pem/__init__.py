"""Private keys in PEM, held in the memory of this process."""
