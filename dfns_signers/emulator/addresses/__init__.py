"""Addresses of wallets: which form each network has, and which address a key has there."""

from dfns_signers.emulator.addresses.networks import (
    AddressForm,
    address_check,
    address_form,
    address_of,
    key_kinds,
)

__all__ = ["AddressForm", "address_check", "address_form", "address_of", "key_kinds"]
