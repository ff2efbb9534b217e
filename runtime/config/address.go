package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// The messages of this file name the part that is wrong and never quote it: in a text that does not parse nobody knows
// which part is the password.

const (
	defaultPort   = "3306"
	defaultSocket = "/tmp/mysql.sock" // of go-sql-driver
	maxSocketPath = 107               // bytes of sockaddr_un.sun_path on Linux, less the final zero
)

func isURL(text string) bool { return schemeOf(text) != "" }

// schemeOf is what stands before "://" where it can be a scheme; a driver's DSN may have "://" in its password.
func schemeOf(text string) string {
	scheme, _, ok := strings.Cut(text, "://")
	if !ok || !schemeShape.MatchString(scheme) {
		return ""
	}
	return scheme
}

// Never written to.
var (
	schemeShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)
	hostShape   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

func isDSN(text string) bool { return strings.ContainsAny(text, "@(/") }

func isAddress(text string) bool { return isURL(text) || isDSN(text) }

// parseAddress reads a URL or a driver's DSN.
func parseAddress(text string) (Target, error) {
	switch {
	case isURL(text):
		return ParseURL(text)
	case isDSN(text):
		return ParseDSN(text)
	}
	return Target{}, &Problem{Message: "it is neither a URL nor a DSN", Hint: urlHint}
}

const (
	urlHint = "write it as mysql://user:password@host:3306/database or mysql://user@/database?socket=/path"
	dsnHint = "write it as user:password@tcp(host:3306)/database or user@unix(/path)/database"
)

// ParseURL reads mysql://user:password@host:port/database?tls=skip-verify; for a unix socket the host is left out and
// ?socket=/path given. User, password and database are %-escaped. The schemes mariadb, tidb and dolt mean the same. The
// error is a [*Problem] that does not hold the text.
func ParseURL(text string) (Target, error) {
	t := Target{Name: kindDSN, Kind: kindDSN}
	switch scheme := schemeOf(text); strings.ToLower(scheme) {
	case "mysql", "mariadb", "tidb", "dolt":
	case "":
		return Target{}, &Problem{Message: "the URL has no scheme", Hint: urlHint}
	default:
		return Target{}, &Problem{Message: "the URL's scheme is " + strconv.Quote(clip(scheme)) + ", which rig does not know", Hint: urlHint}
	}
	_, rest, _ := strings.Cut(text, "://")
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if strings.ContainsAny(path, "@#") {
		return Target{}, &Problem{Message: "the URL has an @ or # after its host", Hint: "in user, password and database write / as %2F, ? as %3F, # as %23, @ as %40"}
	}
	host, err := t.userInfo(authority)
	if err != nil {
		return Target{}, err
	}
	path, query, _ := strings.Cut(path, "?")
	if t.Database, err = url.PathUnescape(strings.TrimPrefix(path, "/")); err != nil || strings.Contains(strings.TrimPrefix(path, "/"), "/") {
		return Target{}, &Problem{Message: "the path of the URL is not the name of a database", Hint: urlHint}
	}
	socket, err := t.urlQuery(query)
	if err != nil {
		return Target{}, err
	}
	if err := t.urlPlace(host, socket); err != nil {
		return Target{}, err
	}
	return t, nil
}

// userInfo takes what stands before the last @ of the authority and gives the rest.
func (t *Target) userInfo(authority string) (host string, err error) {
	i := strings.LastIndexByte(authority, '@')
	if i < 0 {
		return authority, nil
	}
	user, password, has := strings.Cut(authority[:i], ":")
	if t.User, err = url.PathUnescape(user); err != nil {
		return "", &Problem{Message: "the user in the URL has a % that is no escape", Hint: "write % as %25"}
	}
	if t.Password, err = url.PathUnescape(password); err != nil {
		return "", &Problem{Message: "the password in the URL has a % that is no escape", Hint: "write % as %25"}
	}
	t.HasPassword = has
	return authority[i+1:], nil
}

// urlQuery takes the parameters and gives the socket's path.
func (t *Target) urlQuery(query string) (socket string, err error) {
	pairs, err := splitQuery(query)
	if err != nil {
		return "", err
	}
	for _, p := range pairs {
		if p.key == "socket" {
			socket = p.value
			continue
		}
		if err := t.setParam(p.key, p.value, "socket"); err != nil {
			return "", err
		}
	}
	return socket, t.tlsFits()
}

func (t *Target) urlPlace(host, socket string) error {
	switch {
	case host == "" && socket == "":
		return &Problem{Message: "the URL has no host", Hint: urlHint}
	case host != "" && socket != "":
		return &Problem{Message: "the URL has a host and a socket", Hint: "a server is reached by one of them"}
	case socket != "":
		return t.unix(socket)
	}
	return t.tcp(host)
}

// unix sets the path of a socket.
func (t *Target) unix(path string) error {
	switch {
	case !strings.HasPrefix(path, "/") || strings.ContainsRune(path, 0):
		return &Problem{Message: "the path of the socket is not absolute", Hint: "it begins with /"}
	case len(path) > maxSocketPath:
		return &Problem{Message: "the path of the socket has more than " + strconv.Itoa(maxSocketPath) + " bytes", Hint: "the system allows no more: use a link to its folder"}
	}
	t.Network, t.Address = "unix", path
	return t.checkNames()
}

// tcp sets host and port; without one it is 3306. IPv6 addresses are in brackets.
func (t *Target) tcp(hostPort string) error {
	host, port := hostPort, defaultPort
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return &Problem{Message: "the host begins with [ and has no ]", Hint: "write IPv6 addresses as [::1]:3306"}
		}
		host, port = hostPort[1:end], strings.TrimPrefix(hostPort[end+1:], ":")
		if rest := hostPort[end+1:]; rest == "" {
			port = defaultPort
		} else if rest[0] != ':' {
			return &Problem{Message: "after the ] of the host comes something other than a port"}
		}
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || a.Zone() != "" {
			return &Problem{Message: "the host in brackets is no IPv6 address, which must be without a zone"}
		}
		return t.hostPort(host, port)
	}
	if h, p, ok := strings.Cut(hostPort, ":"); ok {
		host, port = h, p
		if strings.Contains(p, ":") {
			return &Problem{Message: "the host has more than one colon", Hint: "write IPv6 addresses in brackets, [::1]:3306, and the : of a password as %3A"}
		}
	}
	if !hostShape.MatchString(host) {
		return &Problem{Message: "the host is no name and no address"}
	}
	return t.hostPort(host, port)
}

func (t *Target) hostPort(host, port string) error {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return &Problem{Message: "the port is not a number from 1 to 65535"}
	}
	t.Network, t.Address = "tcp", net.JoinHostPort(host, strconv.FormatUint(n, 10))
	return t.checkNames()
}

// checkNames refuses what the protocol, which ends these texts with a zero, cannot carry.
func (t *Target) checkNames() error {
	if strings.ContainsRune(t.User+t.Database, 0) {
		return &Problem{Message: "user or database holds a zero byte"}
	}
	return nil
}
