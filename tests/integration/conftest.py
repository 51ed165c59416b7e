"""Tests of the real parts run on native threads: importing a program here must not make the whole process green."""

from nova import concurrency

concurrency.start(concurrency.THREADING)
