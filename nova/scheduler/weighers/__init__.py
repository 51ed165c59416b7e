"""Weighers: each gives the hosts that passed a number; higher is better.

The numbers of each weigher are normalised to 0..1 over those hosts, multiplied by its option and summed.
"""
