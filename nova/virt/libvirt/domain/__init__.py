"""Domain XML, one device a module: pure functions of a ``DomainPlan``; ``builder.py`` has the order."""
