"""Programs.  Importing this package first of all chooses green or native threads for the process."""

import gc

from nova import concurrency

# Values and documents are made by the thousand and hold no cycles: looking at all objects each 700 new ones
# (Python's default) doubles the cost of a list of a thousand servers, and of starting.
gc.set_threshold(20_000, 20, 50)
concurrency.start()
