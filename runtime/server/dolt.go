package server

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
)

// doltKind starts `dolt sql-server` on a port of loopback, with a home of its own.
type doltKind struct{}

func (doltKind) binaries() ([]string, []string) { return []string{"dolt"}, nil }

func (doltKind) install() string {
	return "install dolt (https://github.com/dolthub/dolt), or name the executable: [targets.dolt] binary = \"...\""
}

func (doltKind) prepare(_ context.Context, p *process) error { return os.Mkdir(p.path("data"), 0o700) }

func (doltKind) command(p *process) ([]string, []string, error) {
	args := []string{"sql-server", "--host=127.0.0.1", fmt.Sprintf("--port=%d", p.port), "--data-dir=" + p.path("data")}
	return append(args, given(p, "--")...), []string{"HOME=" + p.folder.path, "DOLT_ROOT_PATH=" + p.folder.path}, nil
}

func (doltKind) address(p *process) Address { return portAddress(p) }

func portAddress(p *process) Address {
	return Address{Network: "tcp", Addr: loopback(p.port), User: "root"}
}

// given are the target's options as arguments.
func given(p *process, dashes string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(p.spec.Options)) {
		arg := dashes + k
		if v := p.spec.Options[k]; v != "" {
			arg += "=" + v
		}
		out = append(out, arg)
	}
	return out
}
