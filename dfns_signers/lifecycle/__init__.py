"""The life of a key as a credential: create, register, rotate, diagnose."""

from dfns_signers.lifecycle.key_profiles import KeyProfile
from dfns_signers.lifecycle.keys import create_key, list_keys, require_without_key, show_key

__all__ = ["KeyProfile", "create_key", "list_keys", "require_without_key", "show_key"]
