"""Key stores: what opens a signing key from validated options."""
