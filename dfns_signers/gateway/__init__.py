"""A local service that speaks the Dfns API, and signs by the rules of its callers.

Only this package imports the packages of the extra "gateway".
"""
