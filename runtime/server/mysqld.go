package server

import (
	"fmt"
	"maps"
	"os"
	"os/user"
	"slices"
	"strings"
)

// socketName is short: a socket's path has 107 bytes.
const socketName = "mysqld.sock"

// fast are settings for speed of tests: a crash of the machine may lose everything, and nobody minds. A crash of the server
// alone loses at most the last second.
func fast() map[string]string {
	return map[string]string{
		"innodb-flush-log-at-trx-commit": "0",
		"innodb-doublewrite":             "0",
		"innodb-buffer-pool-size":        "128M",
		"innodb-flush-neighbors":         "0",
		"innodb-fast-shutdown":           "2",
		// Two files' worth of start and end that a server of one run has no use for.
		"innodb-buffer-pool-load-at-startup":  "OFF",
		"innodb-buffer-pool-dump-at-shutdown": "OFF",
		"sync-binlog":                         "0",
		"skip-log-bin":                        "",
		"skip-name-resolve":                   "",
		"max-connections":                     "500",
		"max-allowed-packet":                  "64M",
		"performance-schema":                  "OFF",
		"local-infile":                        "1",
		"innodb-status-output-locks":          "ON", // the monitor then tells who holds a lock; it costs nothing until it is asked
		"character-set-server":                "utf8mb4",
		"default-time-zone":                   "+00:00",
	}
}

// reserved are rig's own: a server with another user would outlive rig, and elsewhere than in its folder nobody finds it.
var reserved = []string{"user", "datadir", "socket", "pid-file", "port", "bind-address", "skip-networking", "defaults-file", "defaults-extra-file", "no-defaults", "daemonize"}

// mysqldArgs are the arguments of mariadbd and mysqld: rig's settings with those of the kind, each replaced by the target's
// options.
func mysqldArgs(p *process, more map[string]string) ([]string, error) {
	options := fast()
	maps.Copy(options, more)
	for k, v := range p.spec.Options {
		name := optionName(k)
		if slices.Contains(reserved, name) {
			return nil, &StartError{Kind: p.spec.Kind, Msg: fmt.Sprintf("the option %q is rig's own", k), Hint: "a throw-away server lives in a folder of its own, as rig's own user; a port is had with tcp = true"}
		}
		replace(options, name, v)
	}
	for k, v := range own(p) {
		options[k] = v
	}
	args := []string{"--no-defaults"} // it must be the first
	for _, k := range slices.Sorted(maps.Keys(options)) {
		args = append(args, argument(k, options[k]))
	}
	return args, nil
}

// replace sets an option in place of rig's, which may be there as loose-x or skip-x.
func replace(options map[string]string, name, value string) {
	base := strings.TrimPrefix(strings.TrimPrefix(name, "loose-"), "skip-")
	for _, prefix := range []string{"", "loose-", "skip-"} {
		delete(options, prefix+base)
	}
	options[name] = value
}

func own(p *process) map[string]string {
	options := map[string]string{
		"datadir":  p.path("data"),
		"tmpdir":   p.folder.path,
		"socket":   p.path(socketName),
		"pid-file": p.path("pid"),
	}
	if os.Geteuid() == 0 {
		// The server must stay our user: changing it clears the parent-death signal.
		options["user"] = userName()
	}
	if p.spec.TCP {
		options["port"], options["bind-address"] = fmt.Sprint(p.port), "127.0.0.1"
	} else {
		options["skip-networking"] = ""
	}
	return options
}

func optionName(k string) string { return strings.TrimLeft(strings.ReplaceAll(k, "_", "-"), "-") }

func argument(name, value string) string {
	if value == "" {
		return "--" + name
	}
	return "--" + name + "=" + value
}

func socketAddress(p *process) Address {
	return Address{Network: "unix", Addr: p.path(socketName), User: "root"}
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Geteuid())
}

// isMariaDB tells by what --version says, and short how the executable calls itself.
func isMariaDB(version string) bool { return strings.Contains(strings.ToLower(version), "mariadb") }

// shortVersion finds "10.11.14" in "mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)".
func shortVersion(version string) string {
	words := strings.Fields(version)
	if i := slices.Index(words, "Ver"); i >= 0 && i+1 < len(words) {
		return numbers(words[i+1])
	}
	return version
}
