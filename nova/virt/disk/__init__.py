"""Disk images as files: what they really are, and whether they can be trusted.

Pure file reading, no driver in it; used by the agent's image cache and by drivers.
"""
