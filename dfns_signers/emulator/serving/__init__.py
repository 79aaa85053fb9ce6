"""How an emulator listens: addresses, http and https, pages of other origins."""
