"""User action signing: the exchange that turns a challenge into permission for one call."""
