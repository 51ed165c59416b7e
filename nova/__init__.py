"""Nova: software that turns ordinary Linux machines into an infrastructure cloud."""

__version__ = "0.1.0"
