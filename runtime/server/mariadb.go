package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
)

// mariadbKind starts mariadbd. Its data folder is a copy of a template that is initialised once.
type mariadbKind struct{}

func (mariadbKind) binaries() ([]string, []string) { return []string{"mariadbd", "mysqld"}, nil }

func (mariadbKind) install() string {
	return "Debian, Ubuntu: apt-get install mariadb-server-core; or name the executable: [targets.mariadb] binary = \"...\""
}

func (mariadbKind) prepare(ctx context.Context, p *process) error {
	version, err := versionOf(ctx, p.binary)
	if err != nil {
		return initError(MariaDB, err)
	}
	if !isMariaDB(version) {
		msg := fmt.Sprintf("this %s is no MariaDB but %s (%s)", filepath.Base(p.binary), shortVersion(version), p.binary)
		return &StartError{Kind: MariaDB, Msg: msg, Hint: "use --target mysql"}
	}
	return fromTemplate(ctx, p, version, func(dir string) error { return mariadbInit(ctx, p, dir) })
}

func mariadbInit(ctx context.Context, p *process, dir string) error {
	script, err := installScript(p.binary)
	if err != nil {
		return err
	}
	args := []string{
		"--no-defaults", "--datadir=" + dir, "--auth-root-authentication-method=normal", "--skip-test-db",
		// Without accounts of this host's name, which may change, and without asking the resolver.
		"--cross-bootstrap", "--skip-name-resolve",
		"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync",
	}
	if base, ok := ownBase(script); ok {
		args = append(args, "--basedir="+base)
	}
	if userName() == "root" {
		args = append(args, "--user=root")
	}
	cmd := exec.CommandContext(ctx, script, append(args, layout(p)...)...)
	// The script would take the server of its own folder.
	cmd.Env = append(cmd.Environ(), "MYSQLD_BOOTSTRAP="+p.binary)
	if _, err := runTool(ctx, cmd); err != nil {
		return initError(MariaDB, err)
	}
	return nil
}

// initError shows what a program said that should have prepared the server.
func initError(kind string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	e := &StartError{Kind: kind, Msg: err.Error(), Cause: err}
	var tool *toolError
	if errors.As(err, &tool) {
		e.Log = telling(tool.said)
	}
	return e
}

var scriptNames = []string{"mariadb-install-db", "mysql_install_db"}

// installScript finds the script of the same installation as the server, else any.
func installScript(binary string) (string, error) {
	real, err := filepath.EvalSymlinks(binary)
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(real)
	for _, name := range scriptNames {
		for _, d := range []string{dir, filepath.Join(dir, "../bin"), filepath.Join(dir, "../scripts")} {
			if path := filepath.Join(d, name); executable(path) {
				return path, nil
			}
		}
	}
	for _, name := range scriptNames {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &StartError{Kind: MariaDB, Msg: "there is no mariadb-install-db for " + binary, Hint: mariadbKind{}.install(), Cause: fs.ErrNotExist}
}

// ownBase is the root of an installation that was unpacked anywhere, which has its script in a folder "scripts" and has to
// be told where it is. The scripts of packages know.
func ownBase(script string) (string, bool) {
	dir := filepath.Dir(script)
	return filepath.Dir(dir), filepath.Base(dir) == "scripts"
}

func (mariadbKind) command(p *process) ([]string, []string, error) {
	args, err := mysqldArgs(p, map[string]string{
		"innodb-log-file-size": "32M",
		"innodb-flush-method":  "nosync",
		"aria-log-file-size":   "8M",
		"skip-slave-start":     "",
		// It tells who holds metadata locks. An installation without it says so in its log, and starts.
		"plugin-load-add": "metadata_lock_info",
	})
	return args, nil, err
}

func (mariadbKind) address(p *process) Address { return socketAddress(p) }
