package server

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// mysqlKind starts Oracle's mysqld or Percona's.
type mysqlKind struct{}

func (mysqlKind) binaries() ([]string, []string) { return []string{"mysqld"}, nil }

func (mysqlKind) install() string {
	return "install MySQL's server (Debian, Ubuntu: apt-get install mysql-server-core-8.0), or name the executable: [targets.mysql] binary = \"...\""
}

func (mysqlKind) prepare(ctx context.Context, p *process) error {
	version, err := versionOf(ctx, p.binary)
	if err != nil {
		return initError(MySQL, err)
	}
	if isMariaDB(version) {
		msg := fmt.Sprintf("this %s is MariaDB %s (%s)", filepath.Base(p.binary), shortVersion(version), p.binary)
		return &StartError{Kind: MySQL, Msg: msg, Hint: "use --target mariadb"}
	}
	return fromTemplate(ctx, p, version, func(dir string) error {
		args := []string{"--no-defaults", "--initialize-insecure", "--datadir=" + dir, "--loose-innodb-redo-log-capacity=8M"}
		if userName() == "root" {
			args = append(args, "--user=root")
		}
		if _, err := runTool(ctx, exec.CommandContext(ctx, p.binary, append(args, layout(p)...)...)); err != nil {
			return initError(MySQL, err)
		}
		return nil
	})
}

func (mysqlKind) command(p *process) ([]string, []string, error) {
	args, err := mysqldArgs(p, map[string]string{
		"mysqlx": "OFF",
		// The new name came with 8.0.30; the old one ended with 8.4.
		"loose-innodb-redo-log-capacity": "64M",
		"loose-innodb-log-file-size":     "32M",
	})
	return args, nil, err
}

func (mysqlKind) address(p *process) Address { return socketAddress(p) }
