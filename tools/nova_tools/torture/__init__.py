"""The torture of a whole cloud: real processes under load, killed and frozen at random, judged at the end.

* :mod:`site` is the cloud; :mod:`daemons` keeps its processes running as systemd would.
* :mod:`load` is what clients do; :mod:`ledger` remembers what they were told; :mod:`judge` compares.
* :mod:`faults` is what is done to the cloud, :mod:`nemesis` when; :mod:`proxy` stands before the database.
* :mod:`watch` checks the invariants all the time and measures how long each fault is felt.
"""
