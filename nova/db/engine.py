"""Databases and transactions.

A :class:`Database` is handed to whoever needs SQL.  Work is a function of a transaction::

    db.run(lambda tx: instances.insert(tx, rows))     # write; begun anew when it lost a race
    db.read(lambda tx: instances.get(tx, instance_id))    # read; every statement for itself
    db.once(lambda tx: services.beat(tx, beats))      # one writing statement that commits by itself

Such a function may run several times: it has no effect but through its transaction.  While the database is
away it is tried again for ``patience_s``, then :class:`~nova.errors.database.DatabaseUnavailable` is raised.
A connection lost during a commit is never tried again blindly (:meth:`Database.run`).
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from nova.clock import Clock
from nova.db import dialects
from nova.db.failures import Meaning, meaning
from nova.db.statements import Statement
from nova.errors import BadRequest
from nova.errors.database import CommitUnknown, DatabaseUnavailable, Duplicate

R = TypeVar("R")
Row = tuple[Any, ...]

_here = threading.local()


class TryAgain(Exception):
    """Raised by work that found its ground moved: it is undone and started anew."""


def again(_: Tx) -> None:
    """``settled`` of :meth:`Database.run` for work that can simply be done twice."""


def in_transaction() -> bool:
    """Tell whether this thread (or green thread) has a transaction open; then it must not wait for RPC."""
    return getattr(_here, "tx", None) is not None


class Tx:
    """An open transaction, or a connection on which every statement stands for itself."""

    __slots__ = ("_clock", "_connection", "_limit", "_now", "_observer", "backend", "dialect", "statements")

    def __init__(
        self, connection: Any, dialect: Any, clock: Clock, observer: Callable[[str], None] | None
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._now: datetime.datetime | None = None
        self._observer = observer
        self._limit: int | None = None
        self.dialect = dialect
        self.backend: str = dialect.name
        self.statements = 0
        """How many were run so far, without BEGIN and COMMIT."""

    @property
    def now(self) -> datetime.datetime:
        """The time of this transaction: the same however often it is asked."""
        if self._now is None:
            self._now = self._clock.now()
        return self._now

    def age_s(self, then: datetime.datetime) -> float:
        """Return how long ago a stored time was, see :meth:`nova.clock.Clock.age_s`."""
        return self._clock.age_s(then)

    def rows(self, statement: Statement, /, **params: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        sql, values = statement.prepare(self.dialect, params)
        cursor = self.driver(sql, values)
        rows = cursor.fetchall()
        cursor.close()
        return rows  # type: ignore[no-any-return]

    def row(self, statement: Statement, /, **params: Any) -> Row | None:
        """Run a statement that finds at most one row."""
        sql, values = statement.prepare(self.dialect, params)
        cursor = self.driver(sql, values)
        row = cursor.fetchone()
        cursor.close()
        return row  # type: ignore[no-any-return]

    def change(self, statement: Statement, /, **params: Any) -> int:
        """Run a statement and return how many rows it matched."""
        sql, values = statement.prepare(self.dialect, params)
        return self.change_by(sql, values)

    def change_by(self, sql: str, values: list[Any]) -> int:
        """Run the driver's own text and return how many rows it matched."""
        cursor = self.driver(sql, values)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def driver(self, sql: str, values: list[Any]) -> Any:
        """Run the driver's own text and return its cursor."""
        self.statements += 1
        if self._limit is not None and self.statements > self._limit:
            raise RuntimeError("Database.once() is for one statement")
        if self._observer is not None:
            self._observer(sql)
        cursor = self._connection.cursor()
        cursor.execute(sql, values)
        return cursor

    def allow_only(self, statements: int) -> None:
        """Make a statement beyond so many an error."""
        self._limit = statements


class Database:
    """A database behind a URL; opens connections when they are needed."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        pool_size: int = 32,
        overflow: int = 0,
        patience_s: float = 30.0,
        durable: bool = True,
    ) -> None:
        """``pool_size`` connections are kept once they were needed; ``overflow`` more are closed after use.

        ``durable=False`` gives up safety against a power cut on SQLite, which is what tests want.
        """
        self._clock = clock or Clock()
        self._patience_s = patience_s
        parsed = dialects.address(url)
        self.backend: str = parsed.get_backend_name()
        self._engine = sa.create_engine(
            parsed,
            connect_args=dialects.connect_args(parsed, min(10.0, patience_s)),
            poolclass=sa.QueuePool,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=patience_s,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            paramstyle="qmark" if self.backend == "sqlite" else "format",
        )
        dialects.watch_connections(self._engine, durable=durable)
        self.dialect = self._engine.dialect
        self._begin = "BEGIN IMMEDIATE" if self.backend == "sqlite" else "BEGIN"
        self._writer: threading.Lock | None = threading.Lock() if self.backend == "sqlite" else None
        self.statements = 0
        """Run by everybody so far, without BEGIN and COMMIT."""
        self.transactions = 0
        self.retries = 0
        self.observer: Callable[[str], None] | None = None
        """Told the text of every statement (for tests and tracing)."""
        self.disturb: Callable[[str], None] | None = None
        """Called before ``begin``, before ``commit`` and after it (``committed``); may raise, for tests."""

    @property
    def engine(self) -> sa.Engine:
        """The SQLAlchemy engine, for migrations and tests."""
        return self._engine

    def close(self) -> None:
        """Close all idle connections."""
        self._engine.dispose()

    def run(self, work: Callable[[Tx], R], *, settled: Callable[[Tx], R | None] | None = None) -> R:
        """Run work in a transaction and commit it; lost races and lost connections start it anew.

        When the connection is lost during the commit, ``settled`` looks whether the work was done: what it
        returns is the result, None means "not done, do it again".  Without it, and when every answer is lost
        until the patience ends, :class:`~nova.errors.database.CommitUnknown` is raised.
        """
        ask: Callable[[Tx], R | None] | None = None

        def attempt() -> R:
            nonlocal ask
            if ask is not None:
                with self._reader() as tx:
                    found = ask(tx)
                if found is not None:
                    return found
                ask = None
            with self.tx() as tx:
                return work(tx)

        patience = _Patience(self._clock, self._patience_s)
        while True:
            try:
                return self._persist(attempt)
            except CommitUnknown:
                if settled is None or not patience.lasts():
                    raise
                ask = settled
                patience.pause()

    def once(self, work: Callable[[Tx], R], *, repeatable: bool = False) -> R:
        """Run work of a single writing statement, which commits by itself: no BEGIN, no COMMIT.

        ``repeatable`` promises that doing it twice does no harm (a beat): then a lost connection is no
        reason for :class:`~nova.errors.database.CommitUnknown`.
        """

        def attempt() -> R:
            with self._writing(), self._connection(sent_means_unknown=not repeatable) as connection:
                return self._work(connection, work, limit=1)

        return self._persist(attempt)

    def read(self, work: Callable[[Tx], R]) -> R:
        """Run work that only reads; every statement sees what is committed when it starts."""

        def attempt() -> R:
            with self._reader() as tx:
                return work(tx)

        return self._persist(attempt)

    @contextmanager
    def tx(self) -> Iterator[Tx]:
        """Open a transaction for a block: committed at its end, undone when it raises. Never tried again."""
        with self._writing(), self._connection() as connection:
            self._say(connection, self._begin)
            tx = Tx(connection, self.dialect, self._clock, self.observer)
            _here.tx = tx
            try:
                yield tx
            except BaseException:
                self._undo(connection)
                raise
            finally:
                _here.tx = None
                self.statements += tx.statements
                self.transactions += 1
            self._commit(connection)

    @contextmanager
    def _reader(self) -> Iterator[Tx]:
        with self._connection() as connection:
            tx = Tx(connection, self.dialect, self._clock, self.observer)
            _here.tx = tx
            try:
                yield tx
            finally:
                _here.tx = None
                self.statements += tx.statements

    def _work(self, connection: Any, work: Callable[[Tx], R], limit: int) -> R:
        tx = Tx(connection, self.dialect, self._clock, self.observer)
        tx.allow_only(limit)
        _here.tx = tx
        try:
            return work(tx)
        finally:
            _here.tx = None
            self.statements += tx.statements
            self.transactions += 1

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if in_transaction():
            raise RuntimeError("a transaction is open already")
        if self._writer is None:
            yield
        else:
            with self._writer:
                yield

    @contextmanager
    def _connection(self, *, sent_means_unknown: bool = False) -> Iterator[Any]:
        """Lend a connection; after an error it is given up unless it is surely in order."""
        if in_transaction():
            raise RuntimeError("a transaction is open already")
        pooled = self._engine.raw_connection()
        try:
            yield pooled.dbapi_connection
        except Exception as error:
            found = meaning(error, self.backend)
            if found is Meaning.LOST_CONNECTION or isinstance(error, CommitUnknown):
                pooled.invalidate()
                self._engine.dispose()  # the idle connections are most likely lost, too
                if sent_means_unknown:
                    raise CommitUnknown() from error
            elif found is Meaning.DUPLICATE:
                raise Duplicate(what="It", reason=str(error)) from error
            elif found is Meaning.BAD_PATTERN:
                raise BadRequest(reason="Invalid regular expression.") from error
            raise
        except BaseException:
            # Killed within a statement (a green thread's timeout): its answer may still be on the wire.
            pooled.invalidate()
            raise
        finally:
            pooled.close()

    def _commit(self, connection: Any) -> None:
        if self.disturb is not None:
            self.disturb("commit")
        try:
            self._say(connection, "COMMIT")
            if self.disturb is not None:
                self.disturb("committed")
        except Exception as error:
            # A refused commit (a race lost at the last moment) is an answer; a lost connection is none.
            if meaning(error, self.backend) is Meaning.LOST_CONNECTION:
                raise CommitUnknown() from error
            self._undo(connection)
            raise

    def _undo(self, connection: Any) -> None:
        try:
            self._say(connection, "ROLLBACK")
        except Exception as error:
            # The connection is gone, and the transaction with it; the first error is the one to tell.
            if meaning(error, self.backend) is Meaning.OTHER and self.backend != "sqlite":
                raise

    def _say(self, connection: Any, word: str) -> None:
        if self.disturb is not None and word == self._begin:
            self.disturb("begin")
        cursor = connection.cursor()
        cursor.execute(word)
        cursor.close()

    def _persist(self, attempt: Callable[[], R]) -> R:
        """Repeat an attempt while it loses races or the database is away, within the patience."""
        patience = _Patience(self._clock, self._patience_s)
        while True:
            try:
                return attempt()
            except sa.exc.TimeoutError as error:
                raise DatabaseUnavailable() from error
            except Exception as error:
                # Any error of a driver comes by here; those that trying again cannot heal go on at once.
                original = getattr(error, "orig", None) or error
                healable = {Meaning.LOST_RACE, Meaning.LOST_CONNECTION}
                if not isinstance(error, TryAgain) and meaning(original, self.backend) not in healable:
                    raise
                if not patience.lasts():
                    raise DatabaseUnavailable() from error
            self.retries += 1
            patience.pause()


class _Patience:
    """Pauses between attempts, each longer than the one before, until the time is over."""

    def __init__(self, clock: Clock, most_s: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + most_s
        self._pause_s = 0.002 + (threading.get_ident() % 7) * 0.001

    def lasts(self) -> bool:
        """Tell whether there is time for another pause."""
        return self._clock.monotonic() + self._pause_s <= self._end

    def pause(self) -> None:
        """Let others work."""
        self._clock.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * 2, 1.0)
