"""Tests of the real parts run on native threads: no program that a test imports may make the process green."""

from nova import concurrency

concurrency.start(concurrency.THREADING)
