package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// cost is what a process took, from its start to its end.
type cost struct {
	wall, cpu time.Duration
	rss       int64 // the most it held, in KiB
	said      string
}

func (c cost) minus(d cost) cost {
	return cost{wall: c.wall - d.wall, cpu: c.cpu - d.cpu, rss: c.rss}
}

// measure runs a process to its end. Its output is an error's when it fails.
//
// The kernel counts the most that this process ever held into rss, because that is what the new one is before it becomes
// the other program: hence nothing large happens here, but in children.
func measure(ctx context.Context, dir, program string, args ...string) (cost, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return cost{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, said.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage) // always, on the systems that rig is for
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return cost{wall, cpu, usage.Maxrss, said.String()}, nil
}

// exec runs a script by rig, with a journal as always.
func (b *bench) exec(ctx context.Context, script string, args ...string) (cost, error) {
	return measure(ctx, b.dir, b.rig, append([]string{"exec", script, "--seed", "1"}, args...)...)
}

// child runs this program in a role.
func (b *bench) child(ctx context.Context, role string, args ...string) (cost, error) {
	return measure(ctx, b.dir, b.self, append([]string{"-child", role}, args...)...)
}

// median of at least one value; of an even number the mean of the two in the middle.
func median[T float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func mib(kib int64) float64 { return float64(kib) / 1024 }

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

func micros(d time.Duration, n int) float64 { return float64(d) / 1e3 / float64(n) }

func rate(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
