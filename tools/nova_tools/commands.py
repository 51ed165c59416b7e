"""Running programs with a time bound, their output kept in a log."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from nova_tools.trouble import Trouble

CLEAN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment with the system directories on PATH and ``extra`` laid over it."""
    env = dict(os.environ)
    env["PATH"] = f"{env.get('PATH', '')}:{CLEAN_PATH}"
    env.pop("PYTHONPATH", None)
    # Python programs keep what they compiled: who compiles itself at each start needs twice as long.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env.update(extra)
    return env


def run(
    argv: Sequence[str | Path],
    *,
    log: Path | None = None,
    seconds: float = 60.0,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a program to its end and return its standard output.

    With ``log`` both streams are appended there instead (and the answer is empty).  Raises
    :class:`Trouble` with the last lines of its output when it fails, is missing or takes too long.
    """
    words = [str(word) for word in argv]
    name = Path(words[0]).name
    where = f"See {log}" if log else ""
    try:
        if log is None:
            done = subprocess.run(
                words, input=stdin or "", capture_output=True, text=True, timeout=seconds,
                env=env or environment(), cwd=cwd, check=False,
            )  # fmt: skip
            output = done.stderr.strip() or done.stdout.strip()
        else:
            done = _run_logged(words, log, seconds, env or environment(), cwd)
            output = tail(log, 6)
    except FileNotFoundError:
        raise Trouble(
            f"The program {name} is not installed", "Run this again to install what is missing"
        ) from None
    except subprocess.TimeoutExpired:
        raise Trouble(f"{name} did not end within {seconds:.0f} seconds", where) from None
    if done.returncode != 0:
        raise Trouble(f"{name} failed (exit code {done.returncode}): {one_line(output)}", where)
    return done.stdout or ""


def _run_logged(
    words: list[str], log: Path, seconds: float, env: Mapping[str, str], cwd: Path | None
) -> subprocess.CompletedProcess[str]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as sink:
        sink.write(f"$ {' '.join(words)}\n")
        sink.flush()
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, text=True, timeout=seconds,
            env=env, cwd=cwd, check=False,
        )  # fmt: skip


def tail(path: Path, lines: int) -> str:
    """Return the last lines of a text file; nothing when it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - lines * 400))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def one_line(text: str, limit: int = 400) -> str:
    """Squeeze the end of an output into one line for a sentence."""
    squeezed = " / ".join(line.strip() for line in text.splitlines()[-4:] if line.strip())
    return squeezed[-limit:] if squeezed else "it said nothing"
