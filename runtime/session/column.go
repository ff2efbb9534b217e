package session

// Type says what a column's values are. It does not depend on the protocol.
type Type uint8

// The types, with the Go type of their cells. Every cell may also be nil.
const (
	TypeNull      Type = iota // always nil
	TypeInt                   // int64: signed integers, and unsigned ones up to 32 bits
	TypeUint                  // uint64: BIGINT UNSIGNED
	TypeFloat                 // float64, rounded as the server prints a FLOAT: to 6 significant digits, or to its declared decimals
	TypeDouble                // float64
	TypeDecimal               // string, as the server writes it
	TypeString                // string
	TypeBytes                 // []byte
	TypeDate                  // string "2006-01-02"; "0000-00-00" exists
	TypeDateTime              // string "2006-01-02 15:04:05" with as many digits of the second as declared
	TypeTimestamp             // as TypeDateTime
	TypeTime                  // string "-838:59:59.000000" with as many digits of the second as declared
	TypeYear                  // int64
	TypeBit                   // []byte, the most significant first
	TypeJSON                  // string; MariaDB's JSON is TypeString: its protocol does not tell
	TypeEnum                  // string
	TypeSet                   // string, members joined by commas
	TypeGeometry              // []byte: four bytes of SRID, then WKB
	TypeVector                // []byte
)

var typeNames = [...]string{
	"null", "int", "uint", "float", "double", "decimal", "string", "bytes", "date", "datetime", "timestamp", "time", "year",
	"bit", "json", "enum", "set", "geometry", "vector",
}

// String is the name in lower case: "datetime".
func (t Type) String() string { return typeNames[t] }

// Column describes one column of a result. Length is the precision of a DECIMAL, else 0; Decimals the digits after the
// point, or of the second; -1 where the number has no fixed ones.
type Column struct {
	Name         string
	Type         Type
	Unsigned     bool
	Nullable     bool
	Length       int64
	Decimals     int64
	DatabaseType string // as the driver names it: "UNSIGNED BIGINT", "LONGTEXT"
}
