"""Loops: they take no input, compare what should be with what is, and may come again at any time."""
