package mock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// maxPacket is max_allowed_packet, in bytes.
const maxPacket = 64 << 20

// whole is the length of a packet that another one continues.
const whole = 1<<24 - 1

// errPacket is what a client sends that is no packet of the protocol.
var errPacket = errors.New("malformed packet")

// readPacket gives one packet's payload and the number that the reply begins with.
func readPacket(r io.Reader) ([]byte, byte, error) {
	var out []byte
	for {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, 0, err
		}
		n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
		if len(out)+n > maxPacket {
			return nil, 0, fmt.Errorf("%w: more than %d bytes", errPacket, maxPacket)
		}
		at := len(out)
		out = append(out, make([]byte, n)...)
		if _, err := io.ReadFull(r, out[at:]); err != nil {
			return nil, 0, err
		}
		if n < whole {
			return out, head[3] + 1, nil
		}
	}
}

// writer gathers the packets of a reply.
type writer struct {
	buf  []byte
	next byte // sequence number
	ends []int
}

// packet adds a payload, split where it is longer than a packet can be.
func (w *writer) packet(p []byte) {
	for {
		n := min(len(p), whole)
		w.buf = append(w.buf, byte(n), byte(n>>8), byte(n>>16), w.next)
		w.buf = append(w.buf, p[:n]...)
		w.next++
		w.ends = append(w.ends, len(w.buf))
		p = p[n:]
		if n < whole {
			return
		}
	}
}

func lenenc(b []byte, n uint64) []byte {
	switch {
	case n < 251:
		return append(b, byte(n))
	case n < 1<<16:
		return append(b, 0xfc, byte(n), byte(n>>8))
	case n < 1<<24:
		return append(b, 0xfd, byte(n), byte(n>>8), byte(n>>16))
	}
	return binary.LittleEndian.AppendUint64(append(b, 0xfe), n)
}

func lenencText(b []byte, s string) []byte { return append(lenenc(b, uint64(len(s))), s...) }

// reader takes a payload apart; after an error it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uint(n uint64) uint64 {
	var v uint64
	for i, c := range r.take(n) {
		v |= uint64(c) << (8 * i)
	}
	return v
}

func (r *reader) lenenc() uint64 {
	switch c := r.uint(1); c {
	case 0xfc:
		return r.uint(2)
	case 0xfd:
		return r.uint(3)
	case 0xfe:
		return r.uint(8)
	default:
		return c
	}
}

// types of the protocol, from include/field_types.h of MySQL.
const (
	typeTiny      = 1
	typeShort     = 2
	typeLong      = 3
	typeFloat     = 4
	typeDouble    = 5
	typeNull      = 6
	typeTimestamp = 7
	typeLongLong  = 8
	typeInt24     = 9
	typeDate      = 10
	typeTime      = 11
	typeDateTime  = 12
	typeYear      = 13
	typeDecimal   = 246
	typeBlob      = 252
	typeVarString = 253
)

// execute reads the arguments of a COM_STMT_EXECUTE. Their types come with the first execution; later ones may leave them out.
func execute(payload []byte, s *stmt) ([]Value, error) {
	r := &reader{b: payload}
	r.take(9) // statement, flags, iteration count
	n := uint64(s.params)
	if n == 0 {
		return nil, nil
	}
	nulls := r.take((n + 7) / 8)
	if r.uint(1) == 1 {
		s.types = r.take(2 * n)
	}
	if r.bad || uint64(len(s.types)) != 2*n {
		return nil, errPacket
	}
	args := make([]Value, n)
	for i := range args {
		long, isLong := s.long[uint16(i)]
		switch {
		case isLong:
			args[i] = Value{Text, string(long)}
		case nulls[i/8]>>(i%8)&1 == 1:
		default:
			args[i] = r.value(s.types[2*i], s.types[2*i+1]&0x80 != 0)
		}
	}
	if r.bad {
		return nil, errPacket
	}
	return args, nil
}

func (r *reader) value(typ byte, unsigned bool) Value {
	switch typ {
	case typeNull:
		return Value{}
	case typeTiny:
		return integer(r.uint(1), 8, unsigned)
	case typeShort, typeYear:
		return integer(r.uint(2), 16, unsigned)
	case typeLong, typeInt24:
		return integer(r.uint(4), 32, unsigned)
	case typeLongLong:
		return integer(r.uint(8), 64, unsigned)
	case typeFloat:
		return float(float64(math.Float32frombits(uint32(r.uint(4)))))
	case typeDouble:
		return float(math.Float64frombits(r.uint(8)))
	case typeDate, typeDateTime, typeTimestamp:
		return r.datetime()
	case typeTime:
		return r.clock()
	}
	return Value{Text, string(r.take(r.lenenc()))}
}

func integer(bits uint64, size uint, unsigned bool) Value {
	if unsigned {
		return Value{Uint, strconv.FormatUint(bits, 10)}
	}
	shift := 64 - size
	return Value{Int, strconv.FormatInt(int64(bits<<shift)>>shift, 10)}
}

func float(f float64) Value { return Value{Float, strconv.FormatFloat(f, 'e', -1, 64)} }

func (r *reader) datetime() Value {
	f := &reader{b: r.take(r.uint(1))}
	kind := DateTime
	if len(f.b) <= 4 {
		kind = Date
	}
	y, m, d := f.uint(2), f.uint(1), f.uint(1)
	f.bad = false // what is left out is zero
	s := fmt.Sprintf("%04d-%02d-%02d", y, m, d)
	if kind == Date {
		return Value{kind, s}
	}
	h, min, sec := f.uint(1), f.uint(1), f.uint(1)
	s += fmt.Sprintf(" %02d:%02d:%02d", h, min, sec)
	if us := f.uint(4); us > 0 {
		s += fmt.Sprintf(".%06d", us)
	}
	return Value{kind, s}
}

func (r *reader) clock() Value {
	f := &reader{b: r.take(r.uint(1))}
	sign := ""
	if f.uint(1) == 1 {
		sign = "-"
	}
	days, h, m, sec := f.uint(4), f.uint(1), f.uint(1), f.uint(1)
	s := fmt.Sprintf("%s%02d:%02d:%02d", sign, days*24+h, m, sec)
	if us := f.uint(4); us > 0 {
		s += fmt.Sprintf(".%06d", us)
	}
	return Value{Clock, s}
}
