package fault

// Kind says what went wrong, independent of the server that says it. The set is closed: [Kinds] lists it.
type Kind string

// The kinds. Comments say what has happened when a call fails with it.
const (
	Deadlock           Kind = "deadlock"             // the server ended the transaction to break a cycle of waits or a conflict
	LockWaitTimeout    Kind = "lock_wait_timeout"    // a lock was not had in time; usually the statement ended, not the transaction
	LockNowait         Kind = "lock_nowait"          // NOWAIT found the lock taken
	Serialization      Kind = "serialization"        // the isolation level could not be kept: read or write conflict
	DuplicateKey       Kind = "duplicate_key"        // a unique index has the value already
	ForeignKey         Kind = "foreign_key"          // a foreign key forbids it
	NotNull            Kind = "not_null"             // NULL, or no value, for a column that needs one
	CheckViolation     Kind = "check_violation"      // a CHECK constraint is false
	DataTooLong        Kind = "data_too_long"        // the value does not fit the column's length
	OutOfRange         Kind = "out_of_range"         // the number does not fit the type
	Truncated          Kind = "truncated"            // the value is no value of the type
	Syntax             Kind = "syntax"               // the statement does not parse
	InvalidStatement   Kind = "invalid_statement"    // it parses but cannot mean anything: wrong counts, misused functions
	UnknownTable       Kind = "unknown_table"        // no such table or view
	UnknownColumn      Kind = "unknown_column"       // no such column
	UnknownDatabase    Kind = "unknown_database"     // no such database
	UnknownObject      Kind = "unknown_object"       // no such routine, savepoint, index, variable or thread
	TableExists        Kind = "table_exists"         // the table is there already
	ObjectExists       Kind = "object_exists"        // a database, column, index or routine of this name is there already
	AccessDenied       Kind = "access_denied"        // wrong user or password, or no privilege
	ReadOnly           Kind = "read_only"            // the server, the transaction or the object may not be written
	TooManyConnections Kind = "too_many_connections" // a limit on connections or users is reached
	ResourceExhausted  Kind = "resource_exhausted"   // memory, disk, files or another store of the server is used up
	PacketTooLarge     Kind = "packet_too_large"     // the statement or row exceeds max_allowed_packet
	Interrupted        Kind = "interrupted"          // the statement was killed
	StatementTimeout   Kind = "statement_timeout"    // the server's or rig's bound on one statement is passed
	TransactionState   Kind = "transaction_state"    // the call does not fit the transaction: none open, or one too many
	SchemaChanged      Kind = "schema_changed"       // a definition changed under the transaction or prepared statement
	ConnectionRefused  Kind = "connection_refused"   // nobody listens
	HostUnknown        Kind = "host_unknown"         // the name has no address
	HostUnreachable    Kind = "host_unreachable"     // no way to the address
	ConnectionLost     Kind = "connection_lost"      // the connection ended under the call
	ServerShutdown     Kind = "server_shutdown"      // the server is going down
	ServerBusy         Kind = "server_busy"          // the server or its store refuses work for now
	Protocol           Kind = "protocol"             // bytes that are no MySQL protocol, or out of order
	TLS                Kind = "tls"                  // the connection could not be made safe
	Unsupported        Kind = "unsupported"          // this server cannot do it
	ServerInternal     Kind = "server_internal"      // the server failed by its own account
	Replication        Kind = "replication"          // a replica or group member cannot do it in its role
	SessionBusy        Kind = "session_busy"         // another task uses the session
	SessionClosed      Kind = "session_closed"       // the session was closed before
	BreakerOpen        Kind = "breaker_open"         // a circuit breaker refuses calls for now
	LimitExceeded      Kind = "limit_exceeded"       // a bound of rig: rows, bytes, transitions
	BadArgument        Kind = "bad_argument"         // the call itself is wrong
	Refused            Kind = "refused"              // rig does not do it: a database that it did not make
	Leaked             Kind = "leak"                 // something outlived its test
	Cancelled          Kind = "cancelled"            // rig stopped the call: test ended, run stopped
	MemberFailed       Kind = "member_failed"        // another member of the coordinator failed or ended, so that a wait or the run was in vain
	Timeout            Kind = "timeout"              // a bound of rig other than the statement's: connect, wait, test
	Other              Kind = "other"                // an error not known to this table
)

// Category says whether to try again.
type Category string

// The categories. UnknownCategory is also what a lost reply of a write or commit is: it may have happened.
const (
	Transient       Category = "transient" // the same call may succeed later
	Permanent       Category = "permanent" // the same call fails again
	UnknownCategory Category = "unknown"   // neither is known; retry within limits
)

// KindInfo describes a kind for documentation. Category is what errors of the kind have that no table entry knows better.
type KindInfo struct {
	Kind     Kind
	Category Category
	Meaning  string
}

// Kinds lists every kind in the order of the documentation. The caller owns the result.
func Kinds() []KindInfo {
	return []KindInfo{
		{Deadlock, Transient, "the server ended the transaction to break a cycle of waits or a conflict"},
		{LockWaitTimeout, Transient, "a lock was not had in time; usually only the statement ended"},
		{LockNowait, Transient, "NOWAIT found the lock taken"},
		{Serialization, Transient, "the isolation level could not be kept: a read or write conflict"},
		{DuplicateKey, Permanent, "a unique index has the value already"},
		{ForeignKey, Permanent, "a foreign key forbids it"},
		{NotNull, Permanent, "NULL, or no value, for a column that needs one"},
		{CheckViolation, Permanent, "a CHECK constraint is false"},
		{DataTooLong, Permanent, "the value does not fit the column's length"},
		{OutOfRange, Permanent, "the number does not fit the type"},
		{Truncated, Permanent, "the value is no value of the type"},
		{Syntax, Permanent, "the statement does not parse"},
		{InvalidStatement, Permanent, "the statement parses but cannot mean anything"},
		{UnknownTable, Permanent, "no such table or view"},
		{UnknownColumn, Permanent, "no such column"},
		{UnknownDatabase, Permanent, "no such database"},
		{UnknownObject, Permanent, "no such routine, savepoint, index, variable or thread"},
		{TableExists, Permanent, "the table is there already"},
		{ObjectExists, Permanent, "a database, column, index or routine of this name is there already"},
		{AccessDenied, Permanent, "wrong user or password, or no privilege"},
		{ReadOnly, Permanent, "the server, the transaction or the object may not be written"},
		{TooManyConnections, Transient, "a limit on connections or users is reached"},
		{ResourceExhausted, UnknownCategory, "memory, disk, files or another store of the server is used up"},
		{PacketTooLarge, Permanent, "the statement or row exceeds max_allowed_packet"},
		{Interrupted, UnknownCategory, "the statement was killed"},
		{StatementTimeout, UnknownCategory, "the bound on one statement is passed"},
		{TransactionState, Permanent, "the call does not fit the transaction: none open, or one too many"},
		{SchemaChanged, Transient, "a definition changed under the transaction or prepared statement"},
		{ConnectionRefused, Transient, "nobody listens at the address"},
		{HostUnknown, UnknownCategory, "the host name has no address"},
		{HostUnreachable, Transient, "there is no way to the address"},
		{ConnectionLost, Transient, "the connection ended under the call"},
		{ServerShutdown, Transient, "the server is going down"},
		{ServerBusy, Transient, "the server or its store refuses work for now"},
		{Protocol, UnknownCategory, "bytes that are no MySQL protocol, or out of order"},
		{TLS, Permanent, "the connection could not be made safe"},
		{Unsupported, Permanent, "this server cannot do it"},
		{ServerInternal, UnknownCategory, "the server failed by its own account"},
		{Replication, UnknownCategory, "a replica or group member cannot do it in its role"},
		{SessionBusy, Permanent, "another task uses the session"},
		{SessionClosed, Permanent, "the session was closed before"},
		{BreakerOpen, Transient, "a circuit breaker refuses calls for now"},
		{LimitExceeded, Permanent, "a bound of rig is passed: rows, bytes, transitions"},
		{BadArgument, Permanent, "the call itself is wrong"},
		{Refused, Permanent, "rig does not do it: a database that it did not make"},
		{Leaked, Permanent, "something outlived its test"},
		{Cancelled, Permanent, "rig stopped the call: the test ended or the run stopped"},
		{MemberFailed, Permanent, "another member of the coordinator failed or ended, so that a wait or the run was in vain"},
		{Timeout, UnknownCategory, "a bound of rig other than the statement's is passed: connect, wait, test"},
		{Other, UnknownCategory, "an error not known to the table"},
	}
}

// categoryOf is the category of a kind where nothing better is known.
func categoryOf(k Kind) Category {
	for _, i := range Kinds() {
		if i.Kind == k {
			return i.Category
		}
	}
	return UnknownCategory
}
