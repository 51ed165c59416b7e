"""Runs workflows: forward, waiting for reports, back again, and over from where a dead conductor stood.

``step.py`` says what a workflow is; ``engine.py`` drives batches of runs through transactions; ``walk.py`` is
what happens inside one transaction; ``inject.py`` is where tests make it fail.
"""
