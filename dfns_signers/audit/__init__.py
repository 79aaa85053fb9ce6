"""A record of what was decided, signed and answered, chained by hashes."""
