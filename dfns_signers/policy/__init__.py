"""What may be signed: rules over announced calls, which allow and never forbid.

Nothing is imported here: a profile has the model of a rule, and loads the engine if it has rules.
"""
