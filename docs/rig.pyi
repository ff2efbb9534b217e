"""What scenarios of rig see. Made from the declarations: rig doc --format pyi."""
from typing import Any, Callable, Iterable, Iterator

class Session:
    """One connection to the server, with a name. Its statements run one at a time; a task that uses it while another does gets the error session_busy."""
    id: int
    """The session's id on the server."""
    name: str
    """The session's name in reports."""
    version: str
    """The server's version as it says it."""
    closed: bool
    """Whether the session has ended."""
    in_transaction: bool
    """Whether a transaction is open. MariaDB is asked; elsewhere it is what the session has seen."""
    def query(self, sql: str, *args: Any, timeout: str | float | TimeDuration = ...) -> Rows:
        """Runs a statement and returns its rows. More than 10,000 rows or 16 MiB are an error: use stream. sql: The statement; ? stands for an argument. args: Values for the ?: None, bool, int, float, str, bytes, decimal, date, datetime, clock. timeout: The bound of this statement instead of --statement-timeout."""
        ...
    def exec(self, sql: str, *args: Any, timeout: str | float | TimeDuration = ...) -> Result:
        """Runs a statement that changes something; rows that it gives are dropped. sql: The statement; ? stands for an argument. args: Values for the ?: None, bool, int, float, str, bytes, decimal, date, datetime, clock. timeout: The bound of this statement instead of --statement-timeout."""
        ...
    def stream(self, sql: str, *args: Any, timeout: str | float | TimeDuration = ...) -> Stream:
        """Runs a query whose rows are read one at a time, without holding the result: for row in conn.stream(sql). The session is busy until the last row or close(). sql: The statement; ? stands for an argument. args: Values for the ?: None, bool, int, float, str, bytes, decimal, date, datetime, clock. timeout: The bound of this statement instead of --statement-timeout."""
        ...
    def prepare(self, sql: str) -> Stmt:
        """Prepares a statement on the server. Statements that run more than once are prepared without asking; this is for tests of prepared statements themselves. sql: The statement; ? stands for an argument."""
        ...
    def start(self, sql: str, *args: Any, timeout: str | float | TimeDuration = ...) -> Pending:
        """Sends a statement without waiting for its end: the piece for interleavings made by hand. sql: The statement; ? stands for an argument. args: Values for the ?: None, bool, int, float, str, bytes, decimal, date, datetime, clock. timeout: The bound of this statement instead of --statement-timeout."""
        ...
    def query_all(self, sql: str, *, multi: bool = ...) -> list[Rows | Result]:
        """Runs a statement that gives several results, such as CALL, and returns the list of them. sql: The statement, or several when multi is true. multi: The text holds several statements; they run in order."""
        ...
    def insert(self, table: str, columns: list | None, rows: Iterable[Any] | Callable[..., Any], *, batch: int = ...) -> Result:
        """Inserts many rows by multi-row INSERTs that fit the server's max_allowed_packet. table: The table, or database.table. columns: The columns' names; None for all in the table's order. rows: A list of tuples, or a function fn(i) that returns row i (from 0) and None at the end. batch: Rows in one statement at most."""
        ...
    def load_data(self, table: str, rows: Iterable[Any] | Callable[..., Any] | str, *, columns: list = ..., format: str = ..., header: bool = ..., strict: bool = ...) -> Result:
        """Loads rows with LOAD DATA LOCAL, the fastest way in; no file is needed. A function's rows are sent while it makes them: however many there are, they take little memory; it cannot use this session meanwhile. Each row must have as many values as there are columns. A file is checked before anything is sent; when a function fails, rows before it may have been loaded, which a transaction can undo. table: The table, or database.table. rows: A list of tuples, a function fn(i) that returns row i (from 0) and None at the end, or the path of a file, from the script's folder. columns: The columns' names, in the order of the rows; without it those that the file's header names, else all in the table's order. format: Of a file: "tsv", as the server writes it, with \\N for NULL; or "csv", where an unquoted NULL is NULL, \\N is a text of two characters and "" an empty text; a quote in the middle of a value stands for itself. By the file's name without it. Lines end with LF or CR LF, all alike. header: The first line of a file is no row but names the columns, unless columns= does. strict: What the server only warns of is an error: LOAD DATA LOCAL turns a value that does not fit into another one and passes over a row whose key is there already. A file whose rows have the wrong number of values is then refused whole. With False the server does as it does, and result.warnings tells."""
        ...
    def begin(self, *, isolation: str = ..., read_only: bool = ..., snapshot: bool = ...) -> None:
        """Opens a transaction. An open one is an error: the server would commit it silently. isolation: The isolation level of this transaction: "READ COMMITTED" and so on. read_only: START TRANSACTION READ ONLY. snapshot: WITH CONSISTENT SNAPSHOT: the view is taken now, not at the first read."""
        ...
    def commit(self) -> None:
        """Commits. Without an open transaction it is an error that says what became of it."""
        ...
    def rollback(self) -> None:
        """Rolls back; without an open transaction it does nothing."""
        ...
    def savepoint(self, name: str) -> None:
        """Sets a savepoint in the open transaction. name: The savepoint's name."""
        ...
    def rollback_to(self, name: str) -> None:
        """Undoes what came after the savepoint. name: The savepoint's name."""
        ...
    def release(self, name: str) -> None:
        """Forgets the savepoint. name: The savepoint's name."""
        ...
    def transaction(self, fn: Callable[..., Any], *args: Any, isolation: str = ..., retry: Any = ...) -> Any:
        """Calls fn(conn, *args) inside a transaction and commits; when fn fails, rolls back and raises its error. With retry, the whole body runs again after errors of that category. DDL that commits implicitly is an error. fn: The body; its first argument is the session. args: Its further arguments. isolation: The isolation level of this transaction: "READ COMMITTED" and so on. retry: "transient", a list of categories or kinds, or a retry.policy."""
        ...
    def ping(self) -> None:
        """Asks the server for a sign of life."""
        ...
    def reset(self) -> None:
        """Gives the session a fresh connection with the options it was opened with: no transaction, locks or variables are left, and its id changes."""
        ...
    def use(self, database: str) -> None:
        """Changes the default database. On a server that is not throw-away, a database that rig did not make must be allowed with --allow-database. database: The database."""
        ...
    def cancel(self) -> None:
        """Kills the statement that another task is running on the session, and waits for its end."""
        ...
    def kill(self) -> None:
        """Ends the session on the server, as KILL does: its transaction is rolled back."""
        ...
    def close(self) -> None:
        """Ends the session; a statement that runs is killed first."""
        ...

class Rows:
    """The rows of a result. len(rows), rows[0] and for row in rows work; printing shows a table. A row gives its values as row.name, row["name"], row[0]; columns without a usable name as row.col_0."""
    columns: list
    """The columns' names."""
    types: list
    """The columns' types: int, uint, decimal, string, bytes, datetime and so on."""
    def one(self) -> Row:
        """The only row; another number of rows is an error that says how many."""
        ...
    def scalar(self) -> Any:
        """The only value of the only row."""
        ...
    def column(self, name: str | int) -> list:
        """The values of one column. name: Its name or number."""
        ...
    def dicts(self) -> list[dict]:
        """The rows as dicts by column name."""
        ...
    def tuples(self) -> list[tuple]:
        """The rows as tuples."""
        ...
    def __iter__(self) -> Iterator[Row]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any) -> Row: ...

class Row:
    """One row of a result. row.name, row["name"] and row[0] give a value, a, b = row takes it apart, len(row) counts the columns."""
    def __getattr__(self, name: str) -> Any: ...

class Result:
    """What a statement changed."""
    rows_affected: int
    """Rows changed. An UPDATE counts those whose values really changed. A statement that gives rows (INSERT ... RETURNING) has no count in the protocol: it is 0, and query gives the rows."""
    last_insert_id: int
    """The AUTO_INCREMENT value of the first row inserted, 0 without one."""
    warnings: list
    """The statement's warnings as dicts of level, code, message. They are asked for now: read them before the session's next statement."""

class Stream:
    """Rows that are read one at a time; see conn.stream."""
    def close(self) -> None:
        """Ends the statement; the rest of its rows is not read."""
        ...

class Stmt:
    """A statement prepared on the server."""
    def query(self, *args: Any, timeout: str | float | TimeDuration = ...) -> Rows:
        """Runs it and returns its rows. args: Values for the ?: None, bool, int, float, str, bytes, decimal, date, datetime, clock. timeout: The bound of this statement instead of --statement-timeout."""
        ...
    def exec(self, *args: Any, timeout: str | float | TimeDuration = ...) -> Result:
        """Runs it. args: Values for the ?: None, bool, int, float, str, bytes, decimal, date, datetime, clock. timeout: The bound of this statement instead of --statement-timeout."""
        ...
    def close(self) -> None:
        """Forgets it on the server."""
        ...

class Pending:
    """A statement that was sent with conn.start."""
    done: bool
    """Whether it has ended."""
    def wait(self, timeout: str | float | TimeDuration = ...) -> Rows | Result:
        """Waits for the end and returns what query or exec would; its error is raised here. A statement that failed and that nobody waited for fails the test. timeout: How long to wait; the statement's own bound without it. When it passes, the statement goes on."""
        ...
    def blocked(self, within: str | float | TimeDuration = ...) -> bool:
        """Waits until the server says that the statement waits for a lock (True), or has ended or the time is over (False). Row locks need the PROCESS privilege; without it a statement that still runs at the end of the time counts as blocked. within: How long to look, 1s by default."""
        ...

class Error:
    """What went wrong in a call that try_ or a task caught."""
    code: int
    """The server's error number, 0 where no server spoke."""
    sqlstate: str
    """Five characters, "" where no server spoke."""
    name: str
    """The server's name of the error: "ER_DUP_ENTRY"."""
    kind: str
    """What it was, whatever the server: "duplicate_key", "deadlock"."""
    category: str
    """"transient", "permanent" or "unknown"."""
    message: str
    """The server's words."""
    sql: str
    """The statement."""
    session: str
    """The session's name."""
    detail: str
    """Further lines, or "": what failed after it, the attempts of a retry."""
    hint: str
    """One line of advice, or ""."""

class Outcome:
    """How a call ended. It is true when the call succeeded: if not r: print(r.error)."""
    ok: bool
    """Whether it succeeded."""
    value: Any
    """What it returned; None when it failed."""
    error: Error | None
    """What went wrong; None when it succeeded."""

class Decimal:
    """An exact decimal number: what DECIMAL columns hold. It mixes with int, not with float."""
    float: float
    """The nearest float."""
    int: int
    """The integer part."""

class Datetime:
    """A DATE (type date), DATETIME or TIMESTAMP (datetime) or TIME (clock) of the server. None has a zone; zero dates exist. Values of one type compare in time."""
    year: int
    """0 in a zero date."""
    month: int
    """0 to 12."""
    day: int
    """0 to 31."""
    hour: int
    """Of a clock up to 838."""
    minute: int
    """0 to 59."""
    second: int
    """0 to 59."""
    microsecond: int
    """0 to 999999."""
    negative: bool
    """True for a clock below zero."""
    time: TimeTime
    """The same moment in UTC for module time. A zero date and a clock have none."""

class Shared:
    """A map that tasks change together."""
    def get(self, key: str, default: Any = ...) -> Any:
        """The value of a key. key: The key. default: Where the key is missing."""
        ...
    def set(self, key: str, value: Any) -> None:
        """Stores a value. key: The key. value: The value."""
        ...
    def add(self, key: str, delta: int = ...) -> int:
        """Adds to an int and returns the sum; a missing key counts as 0. key: The key. delta: By how much."""
        ...
    def append(self, key: str, value: Any) -> int:
        """Appends to a list and returns its length; a missing key is an empty list. key: The key. value: The value."""
        ...
    def compare_and_set(self, key: str, old: Any, value: Any) -> bool:
        """Stores a value if the key still holds old, and tells whether it did. key: The key. old: What is expected; None for a missing key. value: The value."""
        ...
    def update(self, key: str, fn: Callable[..., Any]) -> Any:
        """Replaces a value by fn(old) and returns the new one; old is None for a missing key. Nobody else changes the map meanwhile: fn must not use it, wait or query. key: The key. fn: Makes the new value of the old one."""
        ...
    def keys(self) -> list:
        """The keys in order."""
        ...

class Test:
    """The test that is running. It is the one argument of test functions and of setup, teardown, setup_all and teardown_all."""
    name: str
    """The name of the test function, or of the subtest."""
    seed: int
    """The seed of the test's random numbers: the same for the same --seed and test."""
    params: Any
    """The parameters of the file by name."""
    target: Target
    """The server the test runs on: kind, version, name and has(capability)."""
    shared: Any
    """What the file's setup_all returned, frozen; None without one."""
    database: str
    """The name of the test's own database, which is made at the first use and dropped after the test."""
    db: Session
    """The test's default session, in the test's own database. It is opened at the first use."""
    server: Server
    """The server of a test annotated with server = "own": kill, pause, resume, restart."""
    def connect(self, name: str = ..., *, isolation: str = ..., database: str = ..., autocommit: bool = ..., target: str = ..., host: str = ..., port: int = ..., user: str = ..., password: str = ...) -> Session:
        """Opens another session. It belongs to the test and is closed at its end. Without arguments it is on the test's target, in the test's own database. name: How reports call the session; s1, s2, ... without one. isolation: The isolation level of the session's transactions: "READ COMMITTED" and so on. database: Another database. On a server that is not throw-away it must be allowed with --allow-database. autocommit: The session's autocommit; the server's default without it. target: Another target: a kind of server or a name from rig.toml. host: Another host. port: Another port. user: Another user. password: The password of that user; it never appears in reports."""
        ...
    def sessions(self, n: int, *, isolation: str = ..., autocommit: bool = ..., target: str = ...) -> list[Session]:
        """Opens n sessions as connect does, named s1, s2, .... n: How many, at least 1. isolation: The isolation level of the session's transactions: "READ COMMITTED" and so on. autocommit: The sessions' autocommit. target: Another target."""
        ...
    def pool(self, size: int, *, max_lifetime: str | float | TimeDuration = ..., max_idle: str | float | TimeDuration = ..., acquire_timeout: str | float | TimeDuration = ..., name: str = ..., isolation: str = ..., database: str = ..., autocommit: bool = ..., target: str = ...) -> Pool:
        """Makes a pool of sessions for tasks that share few connections. Connections are opened when they are needed, as connect does, and the one released last is lent first. A connection still acquired when the test ends is reported as leaked, with the line that acquired it. size: How many connections at most. max_lifetime: A connection older than this is closed rather than lent again; "0s" is no limit. max_idle: A connection idle for so long is closed; "0s" is no limit. acquire_timeout: How long acquire waits when all are lent; "0s" is not at all. name: How reports call it; pool1, pool2, ... without one. isolation: The isolation level of the session's transactions: "READ COMMITTED" and so on. database: Another database, as for connect. autocommit: The sessions' autocommit. target: Another target."""
        ...
    def table(self, name: str) -> str:
        """Gives a table name that no other table has. The table of that name in the test's database is dropped after the test. name: The beginning of the name."""
        ...
    def cleanup(self, fn: Callable[..., Any], *args: Any) -> None:
        """Calls fn(*args) when the test has ended, also when it failed. The last one registered runs first. fn: What to call. args: Its arguments."""
        ...
    def run(self, name: str, fn: Callable[..., Any], *args: Any) -> bool:
        """Runs fn(t, *args) as a subtest with a name of its own in reports. It returns whether the subtest passed; when one failed, the test fails at its end. name: The subtest's name. fn: The subtest; its first argument is a t of its own. args: Further arguments."""
        ...
    def skip(self, why: str) -> None:
        """Ends the test as skipped, with the reason. why: The reason, shown in reports."""
        ...
    def requires(self, *abilities: str) -> None:
        """Skips the test, with the reason, where the target lacks one of the abilities. abilities: Capabilities ("row_locks") or versions ("mariadb>=10.6")."""
        ...
    def log(self, message: Any, **fields: Any) -> None:
        """Writes a line into the test's report. message: The line; what is no str is printed as print does. fields: Named values that belong to it."""
        ...

class Target:
    """The server that a test runs on."""
    name: str
    """The target as it was named: "mariadb", a name from rig.toml, a URL without its password."""
    kind: str
    """embedded, mariadb, mysql, tidb or dolt."""
    version: str
    """The server's version, "10.11.14"."""
    throw_away: bool
    """True for a server that rig started for this run alone."""
    def has(self, ability: str) -> bool:
        """Reports whether the server has an ability; a name that rig does not know is an error. ability: A capability ("row_locks") or a version ("mariadb>=10.6")."""
        ...

class Server:
    """The throw-away server of a test that has one of its own. Sessions that it loses are closed; conn.reset() connects again."""
    def kill(self) -> None:
        """Ends the server at once, as a crash does."""
        ...
    def pause(self) -> None:
        """Stops the server's process without ending it."""
        ...
    def resume(self) -> None:
        """Lets a paused server go on."""
        ...
    def restart(self) -> None:
        """Ends the server and starts it again with its data, at the same address."""
        ...

class Pool:
    """Sessions that many tasks use in turn; see t.pool. Tasks may share it."""
    name: str
    """The pool's name in reports; its sessions are called name#1, name#2, ...."""
    size: int
    """How many connections it has at most."""
    closed: bool
    """Whether it was closed."""
    def acquire(self) -> Session:
        """Lends a session until release. When all are lent it waits, in turn, up to acquire_timeout; then it is an error that says who holds them. A connection that was idle for more than a second is asked for a sign of life before; one used since is only looked at. A dead one is replaced."""
        ...
    def release(self, conn: Session) -> None:
        """Takes a session back; using it afterwards is an error. An open transaction is rolled back. Where a statement may have changed more (SET, USE, GET_LOCK, LOCK TABLES, temporary tables, user variables, PREPARE and conn.prepare, CALL, XA, HANDLER, FLUSH) the session gets a fresh connection; otherwise it keeps its own, with LAST_INSERT_ID() and the last statement's warnings. What stored functions and triggers set is not seen. conn: What acquire gave."""
        ...
    def with_connection(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Acquires a session, calls fn(conn, *args, **kwargs), releases it whatever happens, and returns what fn returned. fn: What to call; its first argument is the session. args: Its further arguments. kwargs: Its keyword arguments."""
        ...
    def stats(self) -> Any:
        """The pool's counts now: size, open, idle, in_use, waiting; and since it was made: acquired, waits, wait_time (of all waits together), timeouts, created, closed (connections, those replaced included; a fresh connection on release counts as neither)."""
        ...
    def close(self) -> None:
        """Ends the pool: who waits gets an error, and so does every later acquire. Idle connections are closed now, lent ones when they are released. The test's end does it too, and reports what is still lent."""
        ...

class Task:
    """A function that runs at the same time. Wait for it: a task that still runs when its test ends leaked, and an error that nobody saw fails the test."""
    name: str
    """The function's name with a number."""
    done: bool
    """Whether it has ended."""
    ok: bool | None
    """Whether it succeeded; None while it runs."""
    value: Any
    """What it returned; None while it runs and when it failed."""
    error: Error | None
    """What went wrong; None while it runs and when it succeeded."""
    panicked: bool | None
    """Whether a mistake in the script or in rig ended it: its error has kind "script", "guard" or "panic". Errors of the database, fail() and failed expectations are none; None while it runs."""
    def wait(self, timeout: str | float | TimeDuration = ...) -> Any:
        """Waits for the end and returns the function's value; its error is raised here. timeout: How long; the test's own bound without it."""
        ...

class TaskGroup:
    """Tasks of which the one that ends first can be waited for. A task whose error nobody looks at fails the test."""
    running: int
    """How many have not ended."""
    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Task:
        """Starts fn(*args) and returns at once. fn: What to run. args: Its arguments; they are frozen. kwargs: Its keyword arguments."""
        ...
    def next(self, *, timeout: str | float | TimeDuration = ...) -> Task | None:
        """Waits for the task that ends first of those it has not given yet; None when it has given all. Its error is not raised: look at task.ok, task.error and task.panicked. timeout: How long; the test's own bound without it. The error names the tasks that run."""
        ...
    def wait(self, *, timeout: str | float | TimeDuration = ...) -> list[Outcome]:
        """Waits for all and returns their outcomes in the order of their start, as task.map does. A mistake or a failed expectation in one of them is raised here. timeout: How long; the test's own bound without it. The error names the tasks that run."""
        ...

class Operation:
    """How an operation of task.operations ended. It is true when it succeeded."""
    connection_id: int
    """Its connection, as it was given."""
    operation: str
    """What it was."""
    query: str
    """Its SQL; "" where it is no query."""
    state: str
    """"ok", "failed", or "skipped" because an earlier one of its connection failed."""
    ok: bool
    """Whether it succeeded."""
    value: Rows | Result | None
    """The rows of a query that gives some, the result of another statement; else None."""
    error: Error | None
    """What went wrong; None for one that succeeded or was skipped."""
    duration: TimeDuration
    """How long it took, with the rollback after an error."""

class Barrier:
    """A place where tasks wait for each other."""
    def wait(self, *, timeout: str | float | TimeDuration = ...) -> None:
        """Waits until all have come. timeout: How long to wait, 30s by default."""
        ...

class Signal:
    """Something that happens once."""
    is_set: bool
    """Whether it is set."""
    def set(self) -> None:
        """Sets it."""
        ...
    def wait(self, *, timeout: str | float | TimeDuration = ...) -> None:
        """Waits until it is set. timeout: How long to wait, 30s by default."""
        ...

class Channel:
    """Carries values between tasks; they are frozen."""
    def send(self, value: Any, *, timeout: str | float | TimeDuration = ...) -> None:
        """Gives a value to the channel. value: The value. timeout: How long to wait, 30s by default."""
        ...
    def receive(self, *, timeout: str | float | TimeDuration = ...) -> Any:
        """Takes the next value; None when the channel is closed and empty. timeout: How long to wait, 30s by default."""
        ...
    def close(self) -> None:
        """Ends the channel; what is in it can still be received."""
        ...

class Counter:
    """A number that tasks change together."""
    value: int
    """The number."""
    def add(self, delta: int = ...) -> int:
        """Changes it and returns the new number. delta: By how much."""
        ...
    def wait(self, n: int, *, timeout: str | float | TimeDuration = ...) -> None:
        """Waits until the number is at least n. n: The number. timeout: How long to wait, 30s by default."""
        ...

class Machine:
    """A state machine. It has no state of its own: run it as often as you like, also at the same time."""
    name: str
    """Its name."""
    states: list
    """The names of its states."""
    def run(self, t: Test, *, data: dict = ..., conn: Session = ..., max_transitions: int = ..., timeout: str | float | TimeDuration = ..., on_failure: str = ...) -> MachineResult:
        """Goes from state to state until completed. When a state fails, its error is raised with the state and the visit; on_failure = "return" gives a result of state failed instead. t: The test that it belongs to. data: What ctx.data holds at first; it is copied. conn: The session to use instead of a new one. max_transitions: States visited at most. timeout: The run's bound. on_failure: "raise" or "return"."""
        ...

class Ctx:
    """What a state's function gets: the session, the machine's data, and where the run is."""
    conn: Session
    """The machine's session. The state connecting opens it; otherwise the first use does. It can be set."""
    config: Any
    """host, port, username, database and target, from the state parsing_config."""
    data: dict
    """The machine's own, for the whole run; at first a copy of run(data = ...)."""
    local: dict
    """This state's own, kept between its visits."""
    state: str
    """The state."""
    previous: str | None
    """The state before; None at the start."""
    visits: int
    """How often the run has come to this state, this time included."""
    attempt: int
    """The same number, for states that are tried again."""
    step: int
    """How many states the run has visited."""
    test: Test
    """The test's t."""
    id: str | None
    """The member's id in its coordinator; None outside one."""
    shared: Shared
    """A map that the members of a coordinator change together."""
    def log(self, message: Any, **fields: Any) -> None:
        """Writes a line into the test's report. message: The line; what is no str is printed as print does. fields: Named values that belong to it."""
        ...
    def barrier(self, name: str, *, timeout: str | float | TimeDuration = ...) -> None:
        """Waits until every member that has not ended waits at the barrier of this name. A member that fails before it comes ends the wait with an error that names it; a time-out names those who are missing. name: The barrier's name. It can be used again. timeout: How long to wait, 30s by default."""
        ...
    def emit(self, name: str, value: Any = ...) -> None:
        """Tells all members of an event. It stays: who waits for it later sees it, with the newest value. name: The event's name. value: What they get; it is frozen."""
        ...
    def wait_for(self, name: str, *, from_: str = ..., timeout: str | float | TimeDuration = ...) -> Any:
        """Waits until another member has emitted the event, and returns its value. name: The event's name. from_: The id of the member that it must come from; any other without it. timeout: How long to wait, 30s by default."""
        ...
    def send(self, id: str, value: Any) -> None:
        """Puts a message into another member's mailbox, without waiting. id: The member's id. value: The message; it is frozen."""
        ...
    def receive(self, *, from_: str = ..., timeout: str | float | TimeDuration = ...) -> Any:
        """Takes the oldest message from the member's mailbox, and waits for one where there is none. from_: The id of the member that it must come from; any other without it. timeout: How long to wait, 30s by default."""
        ...

class MachineResult:
    """How a run of a machine ended. Printing it shows the path as a table."""
    state: str
    """completed or failed."""
    path: list
    """The states in the order of the visits."""
    duration: TimeDuration
    """Of the whole run."""
    durations: dict
    """The time spent in each state, by name."""
    visits: dict
    """How often each state was visited."""
    failed_in: str | None
    """The state whose step failed first; None when none did."""
    failed_attempt: int
    """The visit of that state in which it failed, from 1; 0 when none did."""
    data: dict
    """The run's ctx.data."""
    error: Error | None
    """What went wrong."""

class Coordinator:
    """Machines that run at the same time, each on its own connection. In a coordinator the ctx of a machine has id, shared, barrier, emit, wait_for, send and receive."""
    name: str
    """Its name."""
    members: list
    """The ids of its members in the order of their adding."""
    def add(self, id: str, flow: Machine, *, target: str = ..., host: str = ..., port: int = ..., username: str = ..., password: str = ..., database: str = ..., isolation: str = ..., data: dict = ...) -> None:
        """Adds a member: a machine with the connection that it gets. Without target and host that is one on the test's target, in the test's own database. id: The member's id; it is its session's name too. flow: The machine. Several members may have the same. target: Another target: a kind of server or a name from rig.toml. host: Another host. port: Another port. username: Another user. password: The password of that user; it never appears in reports. database: Another database. On a server that is not throw-away it must be allowed with --allow-database. isolation: The isolation level of its session's transactions. data: What its ctx.data holds at first; each run copies it."""
        ...
    def run(self, t: Test, *, timeout: str | float | TimeDuration = ..., on_failure: str = ...) -> CoordinatorReport:
        """Runs all members at the same time and returns a report when all have ended. A test whose report says that a member failed fails, unless it looks at report.ok, report.failed or a member; printing it is not looking. A mistake or a failed expectation in a member is raised here. t: The test that it belongs to. timeout: The run's bound. Members that have not ended by then fail. on_failure: "stop": the first failure ends the others too; "continue": they go on, but for waits for the one that failed."""
        ...

class CoordinatorReport:
    """How a run of a coordinator ended. Printing it shows a table: id, state, duration, error. It is true when no member failed; report["id"] is a member, and a loop goes over all."""
    ok: bool
    """Whether no member failed."""
    failed: list
    """The ids of the members that failed."""
    members: list
    """The members in the order of their adding."""
    duration: TimeDuration
    """Of the member that took longest."""
    def __iter__(self) -> Iterator[Member]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: Any) -> Member: ...

class Member:
    """How a member of a coordinator ended. It is true when it completed."""
    id: str
    """Its id."""
    state: str
    """completed, failed, or the state in which it was stopped."""
    ok: bool
    """Whether it completed."""
    error: Error | None
    """What went wrong."""
    result: MachineResult | None
    """What its machine's run gave: path, durations, visits, data."""
    duration: TimeDuration
    """How long it ran."""

class Policy:
    """Says how often a call is tried, and when."""
    def call(self, name: str, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls fn(*args) again while it fails with errors that the policy retries. Each attempt is in the journal with its cause and its delay. name: How reports call it. fn: What to call. args: Its arguments. kwargs: Its keyword arguments."""
        ...

class Breaker:
    """Refuses calls for a while after too many failures in a row, with an error of kind breaker_open. It ends with the test that made it."""
    state: str
    """closed, open or half_open."""
    def call(self, name: str, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls fn(*args), or refuses. name: How reports call it. fn: What to call. args: Its arguments. kwargs: Its keyword arguments."""
        ...
    def close(self) -> None:
        """Ends the breaker for good: every later call, of any task, is refused with an error that names this line."""
        ...

class Schedule:
    """What came of a schedule. It prints as its transcript, or for several orders as the table of outcomes; expect.golden keeps either."""
    outcomes: list
    """What the orders gave, the most frequent first; see schedule_outcome."""
    steps: list
    """The steps of the first run as they were sent; see schedule_step."""
    deadlocks: list
    """Those of the first run; see schedule_deadlock."""
    transcript: str
    """The first run in lanes."""
    anomalies: list
    """The names of what no serial order gives, sorted; empty without oracle =."""
    run: int
    """How many orders were run."""
    pruned: int
    """How many orders cannot happen, or only swap steps that commute."""
    total: int
    """How many orders there are."""
    left: int
    """How many were neither run nor pruned."""
    def step(self, name: str) -> ScheduleStep:
        """A step of the first run by its name. name: "a1"."""
        ...

class ScheduleOutcome:
    """What several orders of a schedule gave alike: the same rows, errors, waits and tables. The values are those of the example."""
    label: str
    """A, B, ..., the most frequent first."""
    count: int
    """How many orders gave it."""
    order: str
    """One of them."""
    orders: list
    """All of them."""
    kind: str
    """"ok", or the kinds of errors that steps ended with: "deadlock"."""
    rows: dict
    """Step -> its rows as tuples, of those that gave rows."""
    errors: dict
    """Step -> the kind of its error, of those that failed."""
    waits: dict
    """Step -> the sessions that it waited for, of those that waited."""
    final: dict
    """Table -> its rows in the end, as tuples, sorted."""
    anomaly: str
    """What no serial order gives; "" without one, or without oracle =."""
    transcript: str
    """The example in lanes."""

class ScheduleStep:
    """A step of a schedule that was run."""
    name: str
    """"a1"."""
    session: str
    """"a"."""
    sql: str
    """The statement, or the name of the function."""
    rows: Any
    """Its rows as tuples, or what the function returned; None without."""
    rows_affected: int
    """How many rows it changed."""
    error: Error | None
    """What it failed with; None when it succeeded."""
    waits: bool
    """Whether it waited for a lock."""
    weak: bool
    """That it waited is known only because it was quiet for long: the server does not tell."""
    blockers: list
    """The sessions that it waited for; "another session" is none of the schedule's."""
    lock: str | None
    """The lock that it waited for: "X on PRIMARY (1) of account"."""
    released_by: str | None
    """The step that let it proceed; None when it did not wait, or nothing did."""
    implicit_commit: bool
    """It was DDL and committed its session's transaction."""

class Step:
    """A step of a schedule with what is expected of it; see step()."""
    name: str
    """Its name, "" where it is numbered."""
    sql: str
    """The statement, or the name of the function."""

class ScheduleDeadlock:
    """A deadlock that the server resolved by ending a transaction."""
    victim: str
    """The session whose transaction was rolled back."""
    cycle: list
    """(waiter, holder, lock) for each wait, as the server tells; empty where it does not."""

class Lanes:
    """A schedule read from a transcript; interleave runs it."""
    order: str
    """The order of the lines."""
    sessions: dict
    """Session -> its statements."""

class ScheduleDifferences:
    """What differs between servers or levels; see differ. It prints as a table and is true when anything differs."""
    same: bool
    """Whether all orders gave the same everywhere."""
    orders: int
    """How many orders were compared."""
    differences: list
    """A dict for each order that differs: "order", and for each server or level what is special there."""

class ErrorClass:
    """What an error means."""
    category: str
    """"transient": the same call may succeed later; "permanent": it fails again; "unknown": neither is known, or the call may have happened."""
    kind: str
    """What it is, whatever the server: `rig help errors` lists the kinds."""
    code: int
    """The server's error number, 0 where no server spoke."""
    name: str
    """The server's name of it, "" where the table has none."""
    sqlstate: str
    """Five characters, "" where no server spoke."""
    servers: str
    """Which servers send it."""
    note: str
    """What is surprising about it, or ""."""
    source: str
    """Where the fact is written."""

class CounterMetric:
    """What only grows."""
    name: str
    """Its name."""
    def add(self, n: int | float = ...) -> None:
        """Adds to it. n: How much, not negative."""
        ...

class GaugeMetric:
    """What goes up and down."""
    name: str
    """Its name."""
    def set(self, value: int | float) -> None:
        """Sets it. value: Its value from now on."""
        ...
    def add(self, n: int | float = ...) -> None:
        """Changes it. n: By how much; negative to lower it."""
        ...

class TimerMetric:
    """The distribution of durations."""
    name: str
    """Its name."""
    def observe(self, duration: str | float | TimeDuration) -> None:
        """Takes a duration that was measured elsewhere. duration: Like "150ms", or seconds."""
        ...
    def time(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls fn(*args, **kwargs), measures how long that takes, and returns its value. A call that fails is measured too, counts as an error, and its error is raised. fn: What to call. args: Its arguments. kwargs: Its keyword arguments."""
        ...

class TrendMetric:
    """The distribution of numbers."""
    name: str
    """Its name."""
    def observe(self, value: int | float) -> None:
        """Takes a number. value: From -1e9 to 1e9."""
        ...

class MockRule:
    """What a mock answers to which statement; see mock.rule."""

class MockConnection:
    """What the session that mock.connection gives has beside every member of a session."""
    queries: list
    """What was asked, in order, as structs of sql (values in place of ?, blanks reduced), args (what stood in place of the rule's ?) and rule (its number from 1, None for a BEGIN, COMMIT and so on that needs none). Of more than 10,000, or 64 MiB of SQL, the first."""
    def verify(self, *, all: bool = ...) -> None:
        """Fails the test unless every statement was answered by a rule, and each rule with times answered as often as it says. all: The rules without times must have answered at least once."""
        ...
    def __getattr__(self, name: str) -> Any: ...

class Factory:
    """Makes rows of one table; see data.factory."""
    table: str
    """The table."""
    def create(self, *, conn: Session = ..., **overrides: Any) -> Row:
        """Inserts a row and returns it as the server has it, with all columns. It is deleted at the end of the test (or subtest) that made it, also when that failed. conn: The session that inserts; t.db without it. overrides: Columns that are to be other than by default: values, functions of n, or factories."""
        ...
    def create_many(self, n: int, *, conn: Session = ..., **overrides: Any) -> list:
        """Inserts n rows, each with an n of its own, and returns them. n: How many. conn: The session that inserts; t.db without it. overrides: Columns that are to be other than by default: values, functions of n, or factories."""
        ...
    def build(self, **overrides: Any) -> Any:
        """Gives the values of a row without a database. A column whose value another factory makes is None. overrides: Columns that are to be other than by default: values, functions of n, or factories."""
        ...

class Fake:
    """Values that look real. The same --seed gives the same values: within a factory for each row, whoever makes it; elsewhere for each test and task. None is unique by itself."""
    def name(self) -> str:
        """A person's full name."""
        ...
    def first_name(self) -> str:
        """A first name."""
        ...
    def last_name(self) -> str:
        """A family name."""
        ...
    def email(self) -> str:
        """An address of mail in a domain that is reserved for examples. Two may be alike: put the factory's n into a column that is unique."""
        ...
    def username(self) -> str:
        """A name to log in with. Two may be alike."""
        ...
    def phone(self) -> str:
        """A telephone number, digits only."""
        ...
    def company(self) -> str:
        """The name of a company."""
        ...
    def job_title(self) -> str:
        """What a person does for a living."""
        ...
    def product(self) -> str:
        """The name of something for sale."""
        ...
    def city(self) -> str:
        """The name of a city."""
        ...
    def country(self) -> str:
        """The name of a country."""
        ...
    def country_code(self) -> str:
        """Two letters for a country."""
        ...
    def state(self) -> str:
        """The name of a state of the USA."""
        ...
    def street(self) -> str:
        """A house number with its street."""
        ...
    def zip(self) -> str:
        """A postal code."""
        ...
    def currency(self) -> str:
        """Three letters for a currency."""
        ...
    def color(self) -> str:
        """The name of a colour."""
        ...
    def word(self) -> str:
        """A word."""
        ...
    def sentence(self) -> str:
        """A sentence."""
        ...
    def paragraph(self) -> str:
        """Some sentences."""
        ...
    def uuid(self) -> str:
        """A UUID of version 4."""
        ...
    def url(self) -> str:
        """The address of a page in a domain that is reserved for examples."""
        ...
    def domain(self) -> str:
        """A domain that is reserved for examples."""
        ...
    def ipv4(self) -> str:
        """An IPv4 address."""
        ...
    def ipv6(self) -> str:
        """An IPv6 address."""
        ...
    def mac(self) -> str:
        """A hardware address."""
        ...
    def user_agent(self) -> str:
        """How a browser names itself."""
        ...
    def int(self, lo: int = ..., hi: int = ...) -> int:
        """A whole number, both ends included. lo: The least. hi: The greatest."""
        ...
    def decimal(self, lo: int = ..., hi: int = ..., places: int = ...) -> Decimal:
        """An exact number, both ends included. lo: The least. hi: The greatest. places: Digits after the point, at most 30."""
        ...
    def float(self) -> float:
        """A number from 0 up to but not including 1."""
        ...
    def bool(self) -> bool:
        """True or False."""
        ...
    def choice(self, items: list) -> Any:
        """One of the items. items: A list or tuple that is not empty."""
        ...
    def date(self, lo: Any = ..., hi: Any = ...) -> Any:
        """A day, both ends included. lo: The first day. hi: The last day."""
        ...
    def datetime(self, lo: Any = ..., hi: Any = ...) -> Datetime:
        """A second of a day, both ends included. lo: The first day. hi: The last day."""
        ...

class History:
    """Operations of clients as they happen. Each session is a client; several tasks may record into one history. How an operation ended follows from the protocol: ok if its COMMIT, or each of its changes outside a transaction, was answered; failed if nothing of it can last; unknown if the answer was lost or the server was stopped at it. After an unknown one its session counts as a new process, as what was sent may still happen. The history is part of the journal: rig check run.jsonl checks it again."""
    name: str
    """Its name in the journal."""
    model: str
    """What its operations do."""
    counts: dict
    """How many operations are "ok", "failed", "unknown" and "running"."""
    def txn(self, conn: Session, ops: list, *, run: Callable[..., Any] = ..., isolation: str = ...) -> HistoryOp:
        """Runs micro-operations as one transaction and records it: ("r", key), and ("append", key, value) of list-append or ("w", key, value) of rw-register. Without run they go to a table that rig makes in the session's database. Each value may be written only once to a key, as who reads it could not tell whose it is. Errors of the database end in the operation, not in the script. conn: The session that does it; it is the client. ops: The micro-operations; keys and values are int or str. Frozen. run: run(conn, op) does one of them on tables of the script's own, within the transaction; of an "r" it returns what was read: a list, or for rw-register a value or None. isolation: The level of this transaction; the session's without it."""
        ...
    def op(self, conn: Session, f: str, fn: Callable[..., Any], *args: Any, value: Any = ...) -> HistoryOp:
        """Records fn(conn, *args) as one operation. If it is ok, what fn returns is its value (None: what was asked). Errors of the database end in the operation, not in the script; a transaction that is left open is rolled back. conn: The session that does it; it is the client. f: What the model calls it: "transfer", "read", "add" and so on. fn: Does it on the session. args: Further arguments of fn. value: What is asked, as the model has it; frozen."""
        ...
    def invoke(self, conn: Session, f: str, value: Any = ...) -> HistoryOp:
        """Begins an operation on a session, for what op and txn do not fit. End it with ok, fail or unknown: what they say is weighed against what the session knows. conn: The session that does it; it is the client. f: What the model calls it. value: What is asked; frozen."""
        ...
    def ok(self, op: HistoryOp, value: Any = ...) -> HistoryOp:
        """Ends an operation that the script takes for done. If the answer to its COMMIT, or to a change outside a transaction, was lost, it is unknown all the same; if it was rolled back, it is failed, and that is an error here. op: What invoke returned. value: What it did and saw; what was asked without it."""
        ...
    def fail(self, op: HistoryOp, why: str = ...) -> HistoryOp:
        """Ends an operation that the script takes for failed. It is recorded so only if nothing of it can last, else as unknown. op: What invoke returned. why: The reason, for the history."""
        ...
    def unknown(self, op: HistoryOp, why: str = ...) -> HistoryOp:
        """Ends an operation of which the script does not know what became. It is recorded so. op: What invoke returned. why: The reason, for the history."""
        ...
    def check(self, *, level: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Checks what was recorded so far; the recording may go on. Operations that have not ended are of unknown outcome. level: For list-append and rw-register the level that must hold, such as "serializable" or "snapshot-isolation"; strict-serializable without one. timeout: The bound of the check; what is not decided by then is unknown."""
        ...
    def export(self, path: str) -> None:
        """Writes what was recorded so far as Jepsen has it, for rig check and other checkers. A file of that name is overwritten. path: The file, beside the script or in a folder below: .json for JSON, .edn for EDN."""
        ...

class HistoryOp:
    """One operation of a history. It is true when it is ok."""
    outcome: str
    """"ok", "failed", "unknown", or "running" before its end."""
    process: int
    """The number of the process that did it. A session has a new one after an operation of unknown outcome."""
    value: Any
    """What it did and saw if it is ok, else what it was asked to do."""
    error: Error | None
    """What went wrong."""

class Verdict:
    """What a history shows. It is true when nothing contradicts what must hold; printing it tells the proof of what does. A verdict that is not valid and that nobody looks at fails the test."""
    valid: bool
    """Whether it was decided that nothing contradicts what must hold."""
    outcome: str
    """"valid", "invalid" or "unknown": the time was up, or the history proves nothing."""
    anomalies: list
    """The names of what is wrong, also of what the level allows."""
    ruled_out: list
    """The isolation levels that the history contradicts; of list-append and rw-register."""
    strongest: list
    """The strongest isolation levels that it does not contradict."""
    counts: dict
    """How often there was each anomaly, and what else the model counts."""
    story: str
    """One example of the anomalies, with what it contradicts."""
    model: str
    """What the operations do."""
    level: str
    """The isolation level that must hold; "" for models that have none."""
    operations: int
    """How many operations there were."""
    ok: int
    """How many happened."""
    failed: int
    """How many did nothing that lasts."""
    unknown: int
    """How many may have happened or not."""
    errors: dict
    """How often each error was why an operation failed or is unknown: {"1213 ER_LOCK_DEADLOCK": 12}."""
    rate: float
    """Operations in a second, of a generator; 0 of others."""
    history: History
    """The history itself, to export it or to go on with it."""

class TimeTime:
    """A time."""
    year: int
    """The year."""
    month: int
    """The month, from 1."""
    day: int
    """The day of the month."""
    hour: int
    """The hour."""
    minute: int
    """The minute."""
    second: int
    """The second."""
    nanosecond: int
    """The nanoseconds within the second."""
    unix: int
    """Seconds since 1970."""
    unix_nano: int
    """Nanoseconds since 1970."""
    def format(self, layout: Any) -> str:
        """The time by Go's layout: "2006-01-02 15:04:05"."""
        ...
    def in_location(self, name: Any) -> TimeTime:
        """The same moment in a time zone."""
        ...

class TimeDuration:
    """A span of time."""
    hours: float
    """In hours."""
    minutes: float
    """In minutes."""
    seconds: float
    """In seconds."""
    milliseconds: int
    """In milliseconds."""
    microseconds: int
    """In microseconds."""
    nanoseconds: int
    """In nanoseconds."""

def try_(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Outcome:
    """Calls fn(*args, **kwargs) and returns how it ended instead of raising. It catches errors of the database and of sessions, and fail(); a failed expectation, a skip, the end of the test and mistakes in the script pass through it. fn: What to call. args: Its arguments. kwargs: Its keyword arguments."""
    ...
def fail(*message: Any) -> None:
    """Ends the test with an error; try_ catches it. message: What went wrong; several values are joined by blanks."""
    ...
def check(cond: Any, msg: str = ...) -> None:
    """Fails the test when the condition is not true. The report shows the condition's source and the values in it. cond: The condition. msg: What it means."""
    ...
def sleep(duration: str | float | TimeDuration) -> None:
    """Waits. It ends early when the test does. To wait for a condition use expect.eventually: a sleep is either too short or too long. duration: How long, at most 10m."""
    ...
def help(value: Any) -> str:
    """Prints what a function, module or value of rig is, and returns the text. value: What to explain: conn.query, task, a function of your own."""
    ...
def breakpoint() -> None:
    """Stops in the debugger that is attached: in the terminal, or in an editor. No flag is needed where rig exec runs in a terminal. Where nobody is there, and in CI, it is an error, so that a forgotten call does not hang a run."""
    ...
def decimal(value: str | int | Decimal | float) -> Decimal:
    """Makes an exact decimal number. value: Its text, like "19.90", or an int. A float is refused: it is not exact."""
    ...
def date(text: str) -> Any:
    """Makes a DATE. text: As the server writes it."""
    ...
def datetime(text: str) -> Datetime:
    """Makes a DATETIME, without a zone. text: As the server writes it."""
    ...
def clock(text: str) -> Any:
    """Makes a TIME: -838:59:59 to 838:59:59. text: As the server writes it."""
    ...
def param(name: str, default: int | float | str | bool, help: str = ..., *, choices: list = ..., min: float = ..., max: float = ..., secret: bool = ...) -> Any:
    """Declares a parameter of the file and gives its value. Its type is that of the default. It becomes a command-line flag (test_rows: --test-rows), a variable RIG_PARAM_TEST_ROWS and a key of [params] in rig.toml. name: The name: lower case letters, digits and underscores. default: The value when nobody gives one. help: One line for --help. choices: The values that are allowed. min: The least number allowed. max: The greatest number allowed. secret: The value never appears in reports."""
    ...
def test(fn: Callable[..., Any], *, tags: list = ..., timeout: str | float | TimeDuration = ..., exclusive: bool = ..., server: str = ...) -> Callable[..., Any]:
    """Annotates a test function and returns it. Call it at the top level, after the function. fn: A function whose name begins with test_. tags: Words by which --tag selects. timeout: The bound of this test instead of --test-timeout. exclusive: No other test runs at the same time. server: "own": a throw-away server for this test alone."""
    ...
def cases(rows: Iterable[Any], fn: Callable[..., Any]) -> bool:
    """Runs fn once for each row as a subtest: a list or tuple becomes arguments, a dict keyword arguments, anything else one argument; the first argument is the subtest's t. A dict's key "name" names the subtest and is not passed on; a first str of a list or tuple, or a str alone, names it too and is passed as the argument that it is. Other subtests are named by their number, from 1. It returns whether all passed. rows: The table. fn: What runs for each row."""
    ...
class _Expect:
    """Expectations: one that does not hold ends the test with a report of what was there instead."""
    def eq(self, got: Any, want: Any, msg: str = ...) -> None:
        """Expects two values to be equal. A decimal equals an int of its value, a date or time its text, a row a tuple or dict of its values. got: What is there. want: What should be there. msg: What it means, for the report."""
        ...
    def ne(self, got: Any, unwanted: Any, msg: str = ...) -> None:
        """Expects two values to differ. got: What is there. unwanted: What must not be there. msg: What it means, for the report."""
        ...
    def lt(self, got: Any, bound: Any, msg: str = ...) -> None:
        """Expects got to be less than the bound. got: What is there. bound: The bound. msg: What it means, for the report."""
        ...
    def le(self, got: Any, bound: Any, msg: str = ...) -> None:
        """Expects got to be at most the bound. got: What is there. bound: The bound. msg: What it means, for the report."""
        ...
    def gt(self, got: Any, bound: Any, msg: str = ...) -> None:
        """Expects got to be greater than the bound. got: What is there. bound: The bound. msg: What it means, for the report."""
        ...
    def ge(self, got: Any, bound: Any, msg: str = ...) -> None:
        """Expects got to be at least the bound. got: What is there. bound: The bound. msg: What it means, for the report."""
        ...
    def true(self, got: Any, msg: str = ...) -> None:
        """Expects a value that counts as true. check(cond) also shows the values in the condition. got: What is there. msg: What it means, for the report."""
        ...
    def contains(self, got: Any, item: Any, msg: str = ...) -> None:
        """Expects a str to contain a str, a dict a key, a list (or rows) an element. got: What is there. item: What should be in it. msg: What it means, for the report."""
        ...
    def matches(self, got: str, pattern: str, msg: str = ...) -> None:
        """Expects a text to match a regular expression (Go's syntax) somewhere. got: The text. pattern: The expression. msg: What it means, for the report."""
        ...
    def rows(self, got: Rows, want: list | Rows, *, ordered: bool = ..., msg: str = ...) -> None:
        """Expects the rows of a result; a difference is shown as a table. Each wanted row is a tuple, a dict, or for one column the bare value. got: The result. want: The rows wanted. ordered: False: in any order. msg: What it means, for the report."""
        ...
    def error(self, fn: Callable[..., Any], *args: Any, code: int = ..., kind: str = ..., category: str = ..., sqlstate: str = ..., match: str = ...) -> Error:
        """Expects fn(*args) to fail, with what is given of code, kind, category, sqlstate and match, and returns the error. fn: What to call. args: Its arguments. code: The server's error number. kind: The kind: "duplicate_key". category: "transient", "permanent" or "unknown". sqlstate: Five characters. match: A regular expression for the message."""
        ...
    def all_ok(self, outcomes: Iterable[Any], msg: str = ...) -> None:
        """Expects every outcome of task.map, task.parallel, task.operations or try_, or every member of a coordinator's report, to be a success. outcomes: A list of them. msg: What it means, for the report."""
        ...
    def eventually(self, fn: Callable[..., Any], *, within: str | float | TimeDuration = ..., every: str | float | TimeDuration = ..., msg: str = ...) -> Any:
        """Calls fn() until it returns something true, and returns that. Errors of the database count as not yet. fn: What to call. within: How long to try. every: How often. msg: What it means, for the report."""
        ...
    def golden(self, name: str, value: Any) -> None:
        """Expects a value to print as it did before: its text is kept in <file>.golden/<name>.txt, or <name>.<target>.txt where one exists for the target's kind. --update-goldens writes the file; a missing one is written too, but under CI it is a failure. name: The golden's name: letters, digits, _ and -. value: The value; rows are kept as a table."""
        ...
    def outcomes(self, got: Schedule, want: dict, msg: str = ...) -> None:
        """Expects the outcomes of a schedule to be these, and no others. A key is a label of one's own; its value a dict of step -> what it gave (rows; the only value; an error's kind or code; "ok"; "waits"), with "final" -> a dict of table -> rows, "anomaly" -> its name ("" for none), "kind", "count" -> the number of orders, "optional": True for one that need not be there. A value that is an int counts the outcomes of that kind: {"ok": 12, "deadlock": 8}. got: What interleave returned. want: The outcomes. msg: What it means, for the report."""
        ...

expect: _Expect

class _Task:
    """Functions that run at the same time."""
    def spawn(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Task:
        """Starts fn(*args) and returns at once. A function that captures a variable which changes is refused: pass it as an argument. fn: What to run. args: Its arguments; they are frozen. kwargs: Its keyword arguments."""
        ...
    def parallel(self, fns: list) -> list[Outcome]:
        """Calls all functions at the same time and returns their outcomes in order when all have ended. Errors of the database are in the outcomes; a failed expectation in a function fails the test. fns: Functions without arguments."""
        ...
    def map(self, fn: Callable[..., Any], items: Iterable[Any], *, limit: int = ...) -> list[Outcome]:
        """Calls fn(item) for all items at the same time and returns the outcomes in order when all have ended. fn: What to call. items: One call each. limit: How many run at a time; all without it, up to 10,000."""
        ...
    def group(self) -> TaskGroup:
        """Makes an empty group of tasks, of which next() gives whichever ends first."""
        ...
    def operations(self, conns: list, ops: list) -> list[Operation]:
        """Runs operations on several sessions: in order within a connection, at the same time across them. It returns one result for each, in the order given. After an error the rest of that connection is skipped and its transaction is rolled back. An operation is a dict: {"connection_id": 0, "operation": "start_transaction" | "query" | "commit" | "rollback", "query": "SELECT 1"}, with query for that operation only. conns: Sessions; connection_id counts them from 0. ops: The operations."""
        ...
    def barrier(self, n: int) -> Barrier:
        """Makes a barrier: wait() returns when n tasks wait. It can be used again. n: How many tasks."""
        ...
    def signal(self) -> Signal:
        """Makes a signal: it is set once, and every wait before and after sees it."""
        ...
    def channel(self, capacity: int = ...) -> Channel:
        """Makes a channel that carries values between tasks, in order. capacity: How many values it holds; with 0 every send waits for its receive."""
        ...
    def shared(self, values: dict = ...) -> Shared:
        """Makes a map that tasks change together. Values in it are frozen; keys are str. values: What is in it at first."""
        ...
    def counter(self) -> Counter:
        """Makes a counter that tasks change together."""
        ...

task: _Task

class _Machine:
    """State machines whose states are functions. The common states run in Go before a machine's own, and each can be replaced by a state of its name: parsing_config, connecting, testing_connection, verifying_database, getting_version."""
    parsing_config: str
    """The state's name."""
    connecting: str
    """The state's name."""
    testing_connection: str
    """The state's name."""
    verifying_database: str
    """The state's name."""
    getting_version: str
    """The state's name."""
    completed: str
    """The state's name."""
    failed: str
    """The state's name."""
    def new(self, name: str, states: dict = ..., *, after_common: str = ..., start: str = ...) -> Machine:
        """Makes a state machine and checks it: unknown, unreachable and dead-end states are errors before anything runs. A state is a function fn(ctx) that returns the next state's name, or a machine.handler. name: How reports call it. states: The states by name; those named like common states replace them. after_common: The state after the common ones; the first of states without it. start: The first state. With it the common states do not run."""
        ...
    def handler(self, execute: Callable[..., Any] = ..., *, enter: Callable[..., Any] = ..., exit: Callable[..., Any] = ..., to: list = ...) -> Any:
        """Makes a state of several steps. enter may name another state, which is then visited instead; execute names the next state; exit always runs, also when execute failed. execute: execute(ctx) returns the next state's name. enter: enter(ctx) runs first; a name that it returns redirects. exit: exit(ctx) runs last. to: The states that execute may name, where its returns are computed."""
        ...

machine: _Machine

def coordinator(name: str) -> Coordinator:
    """Makes a coordinator without members: crew.add adds machines, crew.run runs them at the same time. name: How reports call it."""
    ...
class _Retry:
    """Calls that may fail: policies that try again, breakers that stop trying."""
    def policy(self, *, max_attempts: int = ..., base_delay: str | float | TimeDuration = ..., max_delay: str | float | TimeDuration = ..., jitter: bool = ..., on: Any = ..., name: str = ...) -> Any:
        """Makes a retry policy: the delay doubles with each attempt, up to max_delay; with jitter it is drawn between zero and that. max_attempts: Calls in all. base_delay: After the first failure. max_delay: At most. jitter: Draw the delay. on: A category or kind of error, or a list of them. name: How reports call it, before the name of the call."""
        ...
    def breaker(self, *, failure_threshold: int = ..., recovery_timeout: str | float | TimeDuration = ..., success_threshold: int = ..., name: str = ...) -> Breaker:
        """Makes a circuit breaker. Tasks may share it; what it counts ends with the test. failure_threshold: Failures in a row that open it. recovery_timeout: After which calls may try again. success_threshold: Successes in a row that close it; so many calls may try at a time. name: How reports call it, before the name of the call."""
        ...

retry: _Retry

def watch(fn: Callable[..., Any], *, every: str | float | TimeDuration = ..., until: Callable[..., Any] = ..., timeout: str | float | TimeDuration = ..., name: str = ...) -> Any:
    """Calls fn() at once and then every so often, and returns the first value for which until(value) is true; without until, the first value that is true itself. Meanwhile a terminal shows the last value in a progress line; other output tells it rarely. When the time is over, the error has the last value. An error of fn or until ends it; try_ in fn keeps it going. fn: What to call. The time-out ends it between two operations; a statement in it has its own bound. every: From one call to the next, at least 1ms. A call that takes longer is followed at once. until: Called with the value; whether it is the last. timeout: How long in all. name: What the progress line calls it; the function's name without it."""
    ...
def interleave(t: Test, sessions: dict | Lanes, order: str | list = ..., *, isolation: str = ..., setup: str | list | Callable[..., Any] = ..., teardown: str | list | Callable[..., Any] = ..., sample: int = ..., explore: int = ..., oracle: str = ..., limit: int = ..., timeout: str | float | TimeDuration = ..., name: str = ..., lock_wait: str | float | TimeDuration = ..., parallel: int = ..., target: str = ...) -> Schedule:
    """Runs the steps of several sessions in an order, in several, or in every one. A step that waits for a lock is noticed because the server says so; the schedule goes on, and tells for whom it waited and what let it proceed. Tables get back their rows before each order. A step's error is part of what came of it, unless it is a mistake such as a syntax error. t: The test. sessions: Session name -> its steps in order: SQL, fn(conn) or step(...). Or a dict with steps, isolation, setup and teardown. Or lanes(text), whose order is run. order: "a1 b1 a2 ...", or a list of such; without it every permutation is run. isolation: The sessions' isolation level; the server's default without it. setup: SQL, a list of SQL or fn(conn), before each run. teardown: Likewise after each run. sample: Run so many different orders, drawn by the test's seed. explore: Run so many orders, those with the most conflicts first, and none that only swaps steps which commute: steps on different tables, or that only read. oracle: "serial": compare each outcome with those of the transactions one after another; what matches none is not serializable, and r.anomalies names it by its usual shape. limit: The most permutations that are run without sample. timeout: How long a step may take, its waits included. name: How reports call the schedule; the test's name without it. lock_wait: The server's bound for a wait (innodb_lock_wait_timeout, whole seconds): a wait may then end by itself. parallel: In how many databases at once orders are run; by the number of orders without it. Schedules with functions, views, triggers or routines use one. target: Another target, in a database of its own: a kind of server or a name from rig.toml."""
    ...
def step(do: str | Callable[..., Any], *, name: str = ..., waits: bool = ..., error: int | str | bool = ..., after: str | list = ..., repeat_until: Any = ..., timeout: str | float | TimeDuration = ...) -> Step:
    """A step of a schedule, with what is expected of it. do: SQL, or fn(conn). name: Its name in orders and reports; the session's name and a number without one. waits: Whether it must wait for a lock. error: It must fail: with this code, this kind, or in any way (True). after: The step, or steps, before which it must not return. repeat_until: It is run again until fn(rows) is true, or until the first value is this one. timeout: Its bound instead of the schedule's."""
    ...
def lanes(text: str) -> Lanes:
    """Reads a transcript of several sessions, printed by rig or pasted from a bug report: lines "name> statement". Lines "#! waits for a", "#! no wait", "#! error 1213", "#! deadlock" and "#! b2 proceeds after a3" expect that of the step, "#= 1, 100" expects a row. Behind a semicolon, what is no such line is passed over: it is what a client printed. text: The transcript."""
    ...
def anomaly(t: Test, case: str, sessions: dict, order: str, happened: Callable[..., Any], *, title: str = ..., forbidden_from: str = ..., setup: str | list | Callable[..., Any] = ..., teardown: str | list | Callable[..., Any] = ..., timeout: str | float | TimeDuration = ..., name: str = ...) -> dict:
    """Runs a schedule at every isolation level that the target has, and tells for each what became of an anomaly: "allowed" (happened(r) is true), "error" (it did not happen, a step failed), "waits" (a step waited), or "prevented". A step whose session waits is sent once it can be; after a failed step its session rolls back and sends nothing more. On MariaDB, REPEATABLE READ runs with innodb_snapshot_isolation off and on. The verdicts are expected to be those of the table that comes with rig for the server; rig matrix prints them as a table. t: The test. case: The anomaly's name, "P4": its row in the table. sessions: As for interleave. order: As for interleave, with every step once. happened: happened(r), with what interleave returns: whether the anomaly came about. title: What it is, in a few words. forbidden_from: The weakest isolation level whose definition forbids it; where that level allows it, the table says so. setup: As for interleave. teardown: As for interleave. timeout: How long a step may take, its waits included. name: How reports call the schedule; the test's name without it."""
    ...
def shrink(r: Schedule, *, fails: Callable[..., Any] = ..., file: str = ...) -> Schedule:
    """Reduces a schedule that fails to the fewest sessions and steps that still fail, and writes it as a scenario file that runs. What fails is an outcome for which fails(outcome) is true; without fails, one that is not serializable (where the schedule had oracle =), else one with errors, of the same kinds. It returns the result of the small one. r: What interleave returned. fails: Called with an outcome; whether it is the failure. file: Where to write the scenario, from the script's folder; <test>_shrunk.star without it."""
    ...
def differ(t: Test, sessions: dict | Lanes, order: str | list = ..., *, targets: list = ..., levels: list = ..., isolation: str = ..., setup: str | list | Callable[..., Any] = ..., teardown: str | list | Callable[..., Any] = ..., sample: int = ..., explore: int = ..., oracle: str = ..., limit: int = ..., timeout: str | float | TimeDuration = ..., name: str = ..., lock_wait: str | float | TimeDuration = ..., parallel: int = ...) -> ScheduleDifferences:
    """Runs the same schedules on several servers, at several isolation levels, or both, and gives a table of what differs. Tables that the test made in its database are made on the other servers as well; where their definitions are not understood there, setup makes them. t: The test. sessions: Session name -> its steps in order: SQL, fn(conn) or step(...). Or a dict with steps, isolation, setup and teardown. Or lanes(text), whose order is run. order: "a1 b1 a2 ...", or a list of such; without it every permutation is run. targets: Kinds of servers or names from rig.toml; the test's own target without it. levels: Isolation levels; that of isolation, or the server's default, without it. isolation: The sessions' isolation level; the server's default without it. setup: SQL, a list of SQL or fn(conn), before each run. teardown: Likewise after each run. sample: Run so many different orders, drawn by the test's seed. explore: Run so many orders, those with the most conflicts first, and none that only swaps steps which commute: steps on different tables, or that only read. oracle: "serial": compare each outcome with those of the transactions one after another; what matches none is not serializable, and r.anomalies names it by its usual shape. limit: The most permutations that are run without sample. timeout: How long a step may take, its waits included. name: How reports call the schedule; the test's name without it. lock_wait: The server's bound for a wait (innodb_lock_wait_timeout, whole seconds): a wait may then end by itself. parallel: In how many databases at once orders are run; by the number of orders without it. Schedules with functions, views, triggers or routines use one."""
    ...
class _Errors:
    """What an error means, whatever server it came from. `rig doc errors` prints the table behind it."""
    def classify(self, e: Error | Outcome | int | str, *, server: str = ...) -> ErrorClass:
        """Tells whether an error is transient, permanent or unknown, and of what kind it is. Numbers that mean different things on MySQL, MariaDB, TiDB and Dolt are told apart where server says which it is; an error of a session knows that by itself. e: An error, an outcome that failed, a server's error number, its name ("ER_LOCK_DEADLOCK") or a SQLSTATE. server: For a number or name: mysql, mariadb, tidb, dolt or embedded."""
        ...

errors: _Errors

class _Rand:
    """Random numbers, seeded by the test: --seed repeats them."""
    def int(self, lo: int, hi: int) -> int:
        """A whole number from lo to hi, both ends included. lo: The least. hi: The greatest."""
        ...
    def float(self) -> float:
        """A number from 0 up to but not including 1."""
        ...
    def choice(self, items: list) -> Any:
        """One of the items. items: A list or tuple that is not empty."""
        ...
    def shuffle(self, items: list) -> list:
        """A list of the items in another order; the argument stays. items: A list or tuple."""
        ...
    def bytes(self, n: int) -> bytes:
        """n random bytes, at most 16 MiB. n: How many."""
        ...
    def zipf(self, n: int, s: float = ...) -> int:
        """A number from 0 to n-1, small ones more often: Zipf's distribution with exponent s. n: How many numbers. s: The exponent, more than 1."""
        ...

rand: _Rand

class _Log:
    """Lines for the report and the journal, with named fields, and spans: work with a name and a duration."""
    def debug(self, message: Any, **fields: Any) -> None:
        """Writes a line: details; shown with -v or --log-level debug. message: The line; what is no str is printed as print does. fields: Named values that belong to it."""
        ...
    def info(self, message: Any, **fields: Any) -> None:
        """Writes a line: what happens. message: The line; what is no str is printed as print does. fields: Named values that belong to it."""
        ...
    def warn(self, message: Any, **fields: Any) -> None:
        """Writes a line: what may be wrong. message: The line; what is no str is printed as print does. fields: Named values that belong to it."""
        ...
    def error(self, message: Any, **fields: Any) -> None:
        """Writes a line: what is wrong, without failing the test. message: The line; what is no str is printed as print does. fields: Named values that belong to it."""
        ...
    def span(self, name: str, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls fn(*args, **kwargs) as a piece of work with a name and returns its value; its error is raised as without the span. The journal gets the span's duration and outcome. Statements, lines, tasks and spans inside have it as their parent, so that spans nest; exported to OpenTelemetry they are a trace. name: How reports call the work: the same for the same kind of work. fn: What to call. args: Its arguments. kwargs: Its keyword arguments."""
        ...

log: _Log

class _Metrics:
    """Numbers that a scenario measures: counters, gauges, timers and trends, by name and labels. A name has one type in the whole run; labels make a series of its own each. A table ends the run, --metrics exports them, and the journal has every measurement. Statements are timed without asking: --summary shows them."""
    def counter(self, name: str, **labels: Any) -> CounterMetric:
        """A counter: what only grows, such as rows written. The same name and labels give the same series. name: Letters, digits and underscores. Prometheus wants the unit at the end: load_seconds, rows_written_total. labels: What tells series of the name apart; str, int, float or bool."""
        ...
    def gauge(self, name: str, **labels: Any) -> GaugeMetric:
        """A gauge: what goes up and down, such as the length of a queue; its last value counts. The same name and labels give the same series. name: Letters, digits and underscores. Prometheus wants the unit at the end: load_seconds, rows_written_total. labels: What tells series of the name apart; str, int, float or bool."""
        ...
    def timer(self, name: str, **labels: Any) -> TimerMetric:
        """A timer: how long calls take, with their mean and quantiles. The same name and labels give the same series. name: Letters, digits and underscores. Prometheus wants the unit at the end: load_seconds, rows_written_total. labels: What tells series of the name apart; str, int, float or bool."""
        ...
    def trend(self, name: str, **labels: Any) -> TrendMetric:
        """A trend: numbers with their mean and quantiles, such as the rows of a result. The same name and labels give the same series. name: Letters, digits and underscores. Prometheus wants the unit at the end: load_seconds, rows_written_total. labels: What tells series of the name apart; str, int, float or bool."""
        ...

metrics: _Metrics

class _Mock:
    """Sessions without a database: a server inside rig speaks the real protocol, and answers from rules. `rig exec --target mock:rules.star` runs whole files against the rules of a file that defines `rules = [...]`."""
    any: Any
    """Stands in a rule's args for every value."""
    def rule(self, query: str = ..., *, prefix: str = ..., regexp: str = ..., handshake: bool = ..., args: list = ..., rows: list | Rows = ..., columns: list = ..., affected: int = ..., last_insert_id: int = ..., results: list = ..., error: int | str | dict = ..., delay: str | float | TimeDuration = ..., drop: str = ..., answers: list = ..., times: int = ...) -> MockRule:
        """Says what a mock answers to which statement. A dict with the same keys is a rule too. Of several rules that fit, the first that is not used up answers. Blanks, comments and the case of words make no difference to query and prefix; a ? in them takes any value, also where the statement has it in its text. BEGIN, COMMIT, ROLLBACK, savepoints, SET, USE and SHOW WARNINGS are answered without a rule. query: The whole statement. prefix: Instead of query: its beginning. regexp: Instead of query: a pattern found anywhere in the statement as conn.queries shows it. handshake: Instead of query: the rule answers new connections, with error, delay or drop. args: What must stand in the place of each ?; mock.any is everything. rows: The rows: dicts, or tuples together with columns. The rows of a real query do as well. columns: The names of the columns, also of a result without rows. affected: Instead of rows: how many rows were changed. last_insert_id: The AUTO_INCREMENT value. results: Several results, as of CALL: dicts of rows, columns, affected, last_insert_id. error: Instead of rows: a server's error by its number (1213), its name ("ER_LOCK_DEADLOCK"), or a dict of code, message, sqlstate. delay: Before the answer. KILL QUERY ends it, as does the session's time-out. drop: How the connection ends: "before_reply" (the statement arrived, its reply is lost), "mid_packet", "mid_rows" (after the first row), "after_reply", "garbage" (the reply is no MySQL protocol). answers: One answer after the other: dicts of rows, columns, affected, last_insert_id, results, error, delay, drop. The last one stays. times: How often the rule answers; then it is used up. verify() wants exactly so many."""
        ...
    def connection(self, rules: list, *, name: str = ...) -> MockConnection:
        """Opens a session on a server of its own that answers from rules, by the real protocol and through the real driver: it does all that a session does, and goes wherever one goes. After a drop, conn.reset() connects again. rules: Rules: dicts, or what mock.rule gives. They may be made while the file loads. name: How reports call the session."""
        ...

mock: _Mock

class _Data:
    """Rows for tests: factories that clean up after themselves, values that look real and are the same for the same --seed, files of rows, names that nobody else has."""
    fake: Fake
    """Values that look real; see the type fake."""
    def unique_name(self, prefix: str) -> str:
        """Gives a name that nothing else has, in this run or in another: the prefix, the run, and a number. It has at most 64 characters, as names of tables, databases and user locks may. What is made with it is the test's to remove; t.table gives a table's name and drops the table. prefix: The beginning."""
        ...
    def factory(self, table: str, defaults: dict, id: str = ...) -> Factory:
        """Defines how rows of a table are made: what is in each column unless create says otherwise. Put it at the top of a file and the tests share it: n counts from 1 in each test, and each test deletes what it made, the youngest rows first, so that rows go before those that they point to. Columns that are not named have the table's own defaults. table: The table, or database.table. defaults: Columns with a value, a function that is called with n, a function of data.fake (data.fake.email), or another factory: then a row of that is made first, and its id goes into the column. Functions are frozen with all that they hold. id: The column that tells rows apart: AUTO_INCREMENT, or given."""
        ...
    def csv(self, path: str, *, header: bool = ..., columns: list = ..., types: dict = ...) -> Rows:
        """Reads a file of comma-separated values that lies beside the script, or below. The rows are as those of a query: row.name, rows.dicts(), rows.tuples(); conn.insert takes them. Values are str unless types says otherwise. A row with another number of values, or a header other than columns, is an error with the file and the line, as is a quote in the middle of a value that none began. It knows no NULL: NULL and \\N are texts, unlike for load_data with format csv, where an unquoted NULL is NULL. path: The file, from the script's folder. header: The first line names the columns. columns: With a header, what it must say; without one, the columns' names, else they are col_0, col_1, .... types: Columns that are no text: "int", "float", "decimal", "date", "datetime" or "clock". What is empty is None there."""
        ...

data: _Data

class _History:
    """What the clients of a database saw, and what that proves: which anomalies there were, which isolation levels they rule out."""
    def new(self, model: str, *, level: str = ..., assume: list = ..., total: int = ..., overdrawn: bool = ..., name: str = ..., limit: int = ...) -> History:
        """Begins a history. model: What its operations do: "list-append", "rw-register", "bank", "set", "set-full", "counter", "long-fork", "register", "cas-register", "multi-register" or "mutex". docs/histories.md has the operations of each. level: For list-append and rw-register the level that must hold, such as "serializable" or "snapshot-isolation"; strict-serializable without one. assume: For rw-register, what is known of each key: "wfr" (a transaction writes after what it read), "sequential", "linearizable". What the database does not keep gives false alarms. total: For bank, what all balances add up to; the first read's total without it. overdrawn: For bank, balances may be negative. name: The history's name in the journal. limit: The most operations that it takes; the journal has each of them."""
        ...
    def list_append(self, t: Test, *, isolation: str = ..., duration: str | float | TimeDuration = ..., count: int = ..., sessions: int = ..., keys: int = ..., max_ops: int = ..., max_writes: int = ..., level: str = ..., init: list = ..., target: str = ..., database: str = ..., name: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Transactions that read lists and append to them, on many sessions at the same time, and what they prove of the isolation. A list tells the order of its writes, so this finds the most. t: The test. Its seed decides what the operations are. isolation: The isolation level of the sessions; the server's default without it. duration: For how long operations begin; 2 seconds if there is no count either. count: How many operations, at most 999000, of a set 400000; with a duration whichever ends first. sessions: How many sessions work at the same time, 1 to 1000. keys: Keys that are in use at a time. max_ops: The most reads and writes of a transaction. max_writes: Writes to a key, after which another takes its place. level: The level that must hold. Without it, it follows from isolation: what READ UNCOMMITTED and READ COMMITTED are for Adya, snapshot-isolation for REPEATABLE READ, strict-serializable for SERIALIZABLE, and where no isolation is given. init: Statements that each session runs first. target: Another target: a kind of server or a name from rig.toml. It needs database. database: Another database than the test's own. name: The history's name in the journal. timeout: The bound of the check; what is not decided by then is unknown."""
        ...
    def register(self, t: Test, *, isolation: str = ..., duration: str | float | TimeDuration = ..., count: int = ..., sessions: int = ..., keys: int = ..., max_ops: int = ..., max_writes: int = ..., level: str = ..., assume: list = ..., init: list = ..., target: str = ..., database: str = ..., name: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Transactions that read and write registers. A write leaves nothing of the one before, so less can be proved than with lists. t: The test. Its seed decides what the operations are. isolation: The isolation level of the sessions; the server's default without it. duration: For how long operations begin; 2 seconds if there is no count either. count: How many operations, at most 999000, of a set 400000; with a duration whichever ends first. sessions: How many sessions work at the same time, 1 to 1000. keys: Keys that are in use at a time. max_ops: The most reads and writes of a transaction. max_writes: Writes to a key, after which another takes its place. level: The level that must hold. Without it, it follows from isolation: what READ UNCOMMITTED and READ COMMITTED are for Adya, snapshot-isolation for REPEATABLE READ, strict-serializable for SERIALIZABLE, and where no isolation is given. assume: What is known of each key: "wfr" (a transaction writes after what it read), "sequential", "linearizable". init: Statements that each session runs first. target: Another target: a kind of server or a name from rig.toml. It needs database. database: Another database than the test's own. name: The history's name in the journal. timeout: The bound of the check; what is not decided by then is unknown."""
        ...
    def bank(self, t: Test, *, isolation: str = ..., duration: str | float | TimeDuration = ..., count: int = ..., sessions: int = ..., accounts: int = ..., balance: int = ..., init: list = ..., target: str = ..., database: str = ..., name: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Transfers between accounts, each in a transaction that reads two balances and writes two, while the total is read. It must never change. t: The test. Its seed decides what the operations are. isolation: The isolation level of the sessions; the server's default without it. duration: For how long operations begin; 2 seconds if there is no count either. count: How many operations, at most 999000, of a set 400000; with a duration whichever ends first. sessions: How many sessions work at the same time, 1 to 1000. accounts: How many accounts, at least 2. balance: What each has at the start. init: Statements that each session runs first. target: Another target: a kind of server or a name from rig.toml. It needs database. database: Another database than the test's own. name: The history's name in the journal. timeout: The bound of the check; what is not decided by then is unknown."""
        ...
    def set(self, t: Test, *, isolation: str = ..., duration: str | float | TimeDuration = ..., count: int = ..., sessions: int = ..., reads: bool = ..., init: list = ..., target: str = ..., database: str = ..., name: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Elements that are added, each once, and read at the end: none that was acknowledged may be missing. It is for faults: stop or kill the server meanwhile. t: The test. Its seed decides what the operations are. isolation: The isolation level of the sessions; the server's default without it. duration: For how long operations begin; 2 seconds if there is no count either. count: How many operations, at most 999000, of a set 400000; with a duration whichever ends first. sessions: How many sessions work at the same time, 1 to 1000. reads: Read now and then, too: what was seen once must stay. init: Statements that each session runs first. target: Another target: a kind of server or a name from rig.toml. It needs database. database: Another database than the test's own. name: The history's name in the journal. timeout: The bound of the check; what is not decided by then is unknown."""
        ...
    def counter(self, t: Test, *, isolation: str = ..., duration: str | float | TimeDuration = ..., count: int = ..., sessions: int = ..., read_first: bool = ..., init: list = ..., target: str = ..., database: str = ..., name: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Numbers that are added to a counter, which is read: no addition may be lost. t: The test. Its seed decides what the operations are. isolation: The isolation level of the sessions; the server's default without it. duration: For how long operations begin; 2 seconds if there is no count either. count: How many operations, at most 999000, of a set 400000; with a duration whichever ends first. sessions: How many sessions work at the same time, 1 to 1000. read_first: Add by a transaction that reads and then writes, not by one UPDATE: this loses additions where the isolation allows lost updates. init: Statements that each session runs first. target: Another target: a kind of server or a name from rig.toml. It needs database. database: Another database than the test's own. name: The history's name in the journal. timeout: The bound of the check; what is not decided by then is unknown."""
        ...
    def long_fork(self, t: Test, *, isolation: str = ..., duration: str | float | TimeDuration = ..., count: int = ..., sessions: int = ..., group: int = ..., init: list = ..., target: str = ..., database: str = ..., name: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Writes of single keys, while others read groups of them in transactions: no two reads may each see a write that the other does not. t: The test. Its seed decides what the operations are. isolation: The isolation level of the sessions; the server's default without it. duration: For how long operations begin; 2 seconds if there is no count either. count: How many operations, at most 999000, of a set 400000; with a duration whichever ends first. sessions: How many sessions work at the same time, 1 to 1000. group: Keys of a group, 2 to 10. init: Statements that each session runs first. target: Another target: a kind of server or a name from rig.toml. It needs database. database: Another database than the test's own. name: The history's name in the journal. timeout: The bound of the check; what is not decided by then is unknown."""
        ...
    def cas_register(self, t: Test, *, isolation: str = ..., duration: str | float | TimeDuration = ..., count: int = ..., sessions: int = ..., keys: int = ..., max_writes: int = ..., init: list = ..., target: str = ..., database: str = ..., name: str = ..., timeout: str | float | TimeDuration = ...) -> Verdict:
        """Registers that are read, written and compared-and-set by single statements; whether there is an order that explains what was seen. t: The test. Its seed decides what the operations are. isolation: The isolation level of the sessions; the server's default without it. duration: For how long operations begin; 2 seconds if there is no count either. count: How many operations, at most 999000, of a set 400000; with a duration whichever ends first. sessions: How many sessions work at the same time, 1 to 1000. keys: Registers that are in use at a time. max_writes: Operations on a register, after which another takes its place: the search for an order grows fast. init: Statements that each session runs first. target: Another target: a kind of server or a name from rig.toml. It needs database. database: Another database than the test's own. name: The history's name in the journal. timeout: The bound of the check; what is not decided by then is unknown."""
        ...

history: _History

class _Json:
    """JSON."""
    def encode(self, x: Any) -> str:
        """JSON of None, bool, int, float, str, list, dict with str keys, struct."""
        ...
    def decode(self, x: Any, default: Any = ...) -> Any:
        """The value of a JSON text; with a default, that one where the text is no JSON."""
        ...
    def indent(self, s: Any, *, prefix: Any = ..., indent: Any = ...) -> str:
        """A JSON text with a line for each element."""
        ...
    def encode_indent(self, x: Any, *, prefix: Any = ..., indent: Any = ...) -> str:
        """encode, then indent."""
        ...

json: _Json

class _Math:
    """Mathematics on floats."""
    e: float
    """The base of natural logarithms."""
    pi: float
    """The ratio of a circle's circumference to its diameter."""
    def ceil(self, x: Any) -> int:
        """The smallest integer that is not below x."""
        ...
    def copysign(self, x: Any, y: Any) -> float:
        """x with the sign of y."""
        ...
    def fabs(self, x: Any) -> float:
        """The absolute value as a float."""
        ...
    def floor(self, x: Any) -> int:
        """The largest integer that is not above x."""
        ...
    def mod(self, x: Any, y: Any) -> float:
        """The remainder of x / y with the sign of x."""
        ...
    def pow(self, x: Any, y: Any) -> float:
        """x to the power of y."""
        ...
    def remainder(self, x: Any, y: Any) -> float:
        """The IEEE 754 remainder of x / y."""
        ...
    def round(self, x: Any) -> float:
        """The nearest integer; halves go away from zero."""
        ...
    def exp(self, x: Any) -> float:
        """e to the power of x."""
        ...
    def sqrt(self, x: Any) -> float:
        """The square root."""
        ...
    def acos(self, x: Any) -> float:
        """The arc cosine in radians."""
        ...
    def asin(self, x: Any) -> float:
        """The arc sine in radians."""
        ...
    def atan(self, x: Any) -> float:
        """The arc tangent in radians."""
        ...
    def atan2(self, y: Any, x: Any) -> float:
        """The angle of the point (x, y) in radians."""
        ...
    def cos(self, x: Any) -> float:
        """The cosine of radians."""
        ...
    def hypot(self, x: Any, y: Any) -> float:
        """The distance of (x, y) from the origin."""
        ...
    def sin(self, x: Any) -> float:
        """The sine of radians."""
        ...
    def tan(self, x: Any) -> float:
        """The tangent of radians."""
        ...
    def degrees(self, x: Any) -> float:
        """Radians as degrees."""
        ...
    def radians(self, x: Any) -> float:
        """Degrees as radians."""
        ...
    def acosh(self, x: Any) -> float:
        """The inverse hyperbolic cosine."""
        ...
    def asinh(self, x: Any) -> float:
        """The inverse hyperbolic sine."""
        ...
    def atanh(self, x: Any) -> float:
        """The inverse hyperbolic tangent."""
        ...
    def cosh(self, x: Any) -> float:
        """The hyperbolic cosine."""
        ...
    def sinh(self, x: Any) -> float:
        """The hyperbolic sine."""
        ...
    def tanh(self, x: Any) -> float:
        """The hyperbolic tangent."""
        ...
    def log(self, x: Any, base: Any = ...) -> float:
        """The logarithm."""
        ...
    def gamma(self, x: Any) -> float:
        """The Gamma function."""
        ...

math: _Math

class _Time:
    """Times and durations."""
    nanosecond: TimeDuration
    """One nanosecond."""
    microsecond: TimeDuration
    """One microsecond."""
    millisecond: TimeDuration
    """One millisecond."""
    second: TimeDuration
    """One second."""
    minute: TimeDuration
    """One minute."""
    hour: TimeDuration
    """One hour."""
    def now(self) -> TimeTime:
        """The present time."""
        ...
    def from_timestamp(self, sec: Any, nsec: Any = ...) -> TimeTime:
        """The time of seconds since 1970."""
        ...
    def is_valid_timezone(self, loc: Any) -> bool:
        """Whether a time zone is known."""
        ...
    def parse_duration(self, d: Any) -> TimeDuration:
        """The duration of a text such as "1m30s"."""
        ...
    def parse_time(self, x: Any, format: Any = ..., location: Any = ...) -> TimeTime:
        """The time of a text, by Go's layout."""
        ...
    def time(self, year: Any = ..., month: Any = ..., day: Any = ..., hour: Any = ..., minute: Any = ..., second: Any = ..., nanosecond: Any = ..., location: Any = ...) -> TimeTime:
        """A time of its parts."""
        ...

time: _Time

