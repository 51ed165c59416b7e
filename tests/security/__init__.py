"""Bad input over every door that exists: what may be sent, and what nobody gets by it."""
