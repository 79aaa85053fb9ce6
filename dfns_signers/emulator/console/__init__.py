"""The page at ``/_emulator``, and what other programs may ask of a running emulator there."""
