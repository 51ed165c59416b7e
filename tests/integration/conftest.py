"""Tests of the real parts run on native threads: no program that one imports may make the process green."""

from nova import concurrency

concurrency.start(concurrency.THREADING)
