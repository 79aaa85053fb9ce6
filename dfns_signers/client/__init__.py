"""A thin client of the Dfns API: synchronous, asynchronous and delegated."""
