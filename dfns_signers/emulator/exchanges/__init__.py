"""The log of requests, and what may be shown of them."""
