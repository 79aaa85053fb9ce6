"""The life of a key as a credential: create, register, rotate, diagnose."""
