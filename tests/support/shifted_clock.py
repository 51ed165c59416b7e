"""Processes whose wall clock can be moved while they run; their monotonic clock goes on as it does.

A small library, loaded before all others (``LD_PRELOAD``), adds what a file says to every answer about the
time of day.  (libfaketime breaks absolute sleeps, which Python uses: measured with 0.9.10.)
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long *offset;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SHIFTED_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *there = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
        if (there != MAP_FAILED) offset = there;
        close(fd);
    }
}

int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(which, at);
    int of_day = which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE;
    if (!result && offset && of_day) at->tv_sec += *offset;
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"""


class ShiftedClock:
    """The library and the file that moves the clocks of all processes that were started with :attr:`env`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "offset"
        self._file.write_bytes(struct.pack("l", 0))
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(_SOURCE)
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=60
        )
        self.env = {"LD_PRELOAD": str(library), "SHIFTED_CLOCK": str(self._file)}

    def move(self, seconds: int) -> None:
        """Show a time so many seconds off the true one from now on."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("l", seconds))
