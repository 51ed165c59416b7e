"""Programs.  Importing this package first of all chooses green or native threads for the process."""

from nova import concurrency

concurrency.start()
