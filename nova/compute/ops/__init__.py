"""The deeds behind jobs: each takes a host, the job at work and how to tell its phases."""
