package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// tidbKind starts tidb-server with its embedded store, for one node and for tests only.
type tidbKind struct{}

// binaries looks into tiup's folders too, the newest version first by name.
func (tidbKind) binaries() ([]string, []string) {
	home, err := os.UserHomeDir()
	if err != nil {
		return []string{"tidb-server"}, nil
	}
	folders, err := filepath.Glob(filepath.Join(home, ".tiup", "components", "tidb", "*"))
	if err != nil { // a home with a bracket in its name
		return []string{"tidb-server"}, nil
	}
	slices.Sort(folders)
	slices.Reverse(folders)
	return []string{"tidb-server"}, folders
}

func (tidbKind) install() string {
	return "install tidb-server (tiup install tidb), or name the executable: [targets.tidb] binary = \"...\""
}

func (tidbKind) prepare(_ context.Context, p *process) error { return os.Mkdir(p.path("data"), 0o700) }

func (tidbKind) command(p *process) ([]string, []string, error) {
	args := []string{
		"-store=unistore", "-path=" + p.path("data"), "-host=127.0.0.1", fmt.Sprintf("-P=%d", p.port),
		"-report-status=false", "-socket=" + p.path(socketName), "-temp-dir=" + p.folder.path,
	}
	return append(args, given(p, "-")...), nil, nil
}

func (tidbKind) address(p *process) Address { return portAddress(p) }
