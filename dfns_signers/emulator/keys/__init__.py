"""Keys in memory, and what each kind of signature request signs with them."""
