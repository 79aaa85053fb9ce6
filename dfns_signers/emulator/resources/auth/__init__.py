"""The operations below ``/auth``."""
