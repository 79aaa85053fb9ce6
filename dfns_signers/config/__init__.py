"""Choose and assemble a signer and a client from a file, the environment and arguments."""
