package server

import (
	"strconv"
	"strings"
)

// found is what a server says of itself.
type found struct {
	kind    string
	version string // the server's own: of TiDB and Dolt not that of the MySQL they resemble
	infile  bool   // local_infile is on
}

// identify reads @@version and @@version_comment.
func identify(version, comment string) found {
	lower := strings.ToLower(version + " " + comment)
	f := found{kind: MySQL}
	switch {
	case strings.Contains(lower, "tidb"):
		f.kind = TiDB
		if _, v, ok := strings.Cut(strings.ToLower(version), "tidb-v"); ok {
			version = v
		}
	case strings.Contains(lower, "mariadb"):
		f.kind = MariaDB
		version = strings.TrimPrefix(version, "5.5.5-") // an old trick against clients that knew no 10
	case strings.Contains(lower, "dolt"):
		f.kind = Dolt
	}
	f.version = numbers(version)
	return f
}

// numbers keeps the leading digits and points: "10.11.14-MariaDB-0+deb12u2" is 10.11.14.
func numbers(v string) string {
	i := strings.IndexFunc(v, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if i >= 0 {
		v = v[:i]
	}
	return strings.Trim(v, ".")
}

// compare orders versions by their numbers; what the second leaves out counts as equal: 10.11.14 is == 10.11.
func compare(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range y {
		m, n := 0, 0
		if i < len(x) {
			m, _ = strconv.Atoi(x[i]) // what is no number counts as 0
		}
		n, _ = strconv.Atoi(y[i])
		if m != n {
			return m - n
		}
	}
	return 0
}
