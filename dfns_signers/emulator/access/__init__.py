"""Who calls, by which tokens, and what each caller may do."""
