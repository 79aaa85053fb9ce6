"""The limiter of the clients: as many requests as Dfns allows, and no more."""
