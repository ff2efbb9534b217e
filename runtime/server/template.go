package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// templateFormat changes when templates are made differently.
const templateFormat = "4"

// structural are the options that decide how a data folder is laid out, so that a template has them too.
var structural = []string{"innodb-page-size", "innodb-data-file-path", "innodb-undo-tablespaces", "innodb-checksum-algorithm", "lower-case-table-names"}

// layout gives those of the target's options that are structural, as arguments.
func layout(p *process) []string {
	given := map[string]string{}
	for k, v := range p.spec.Options {
		given[optionName(k)] = v
	}
	var args []string
	for _, k := range structural {
		if v, ok := given[k]; ok {
			args = append(args, argument(k, v))
		}
	}
	return args
}

// fromTemplate fills p's data folder with a copy of the template of this executable, which fill makes the first time. Where
// no template can be kept, fill makes the folder itself.
func fromTemplate(ctx context.Context, p *process, version string, fill func(dir string) error) error {
	data := p.path("data")
	template, err := templatePath(p, version)
	if err != nil {
		if err := os.Mkdir(data, 0o700); err != nil {
			return err
		}
		return fill(data)
	}
	if _, err := os.Stat(template); errors.Is(err, fs.ErrNotExist) {
		if err := makeTemplate(ctx, template, fill); err != nil {
			return err
		}
	}
	// A template is whole from when it has its name, and never changes: no lock is needed.
	if err := copyTree(ctx, template, data); err != nil {
		return fmt.Errorf("copy the template %s: %w", template, err)
	}
	return nil
}

// templatePath is where the template of p's executable is, or will be, in a folder that can be written.
func templatePath(p *process, version string) (string, error) {
	cache := p.spec.CacheDir
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(base, "rig", "templates")
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	if err := unix.Access(cache, unix.W_OK|unix.X_OK); err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, templateFormat, p.binary, version, userName(), layout(p))
	if info, err := os.Stat(p.binary); err == nil {
		fmt.Fprintln(h, info.Size(), info.ModTime().UnixNano())
	}
	return filepath.Join(cache, p.spec.Kind+"-"+hex.EncodeToString(h.Sum(nil))[:16]), nil
}

// makeTemplate fills a folder beside the template and gives it the name when it is whole. One run makes it, others wait.
func makeTemplate(ctx context.Context, template string, fill func(dir string) error) error {
	lock, err := lockFile(template+".lock", true)
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(template); err == nil {
		return ctx.Err()
	}
	half := template + ".half"
	// A run that was killed may have left it.
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if err := os.Mkdir(half, 0o700); err != nil {
		return err
	}
	if err := fill(half); err != nil {
		return errors.Join(err, os.RemoveAll(half))
	}
	return os.Rename(half, template)
}

// copyTree copies a folder of regular files to one that is not there yet.
func copyTree(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.Mkdir(target, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		return errors.Join(ctx.Err(), copyFile(path, target))
	})
}

// copyFile copies one file. Where the file system can, the two share their blocks until one is written.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) != nil {
		_, err = out.ReadFrom(in) // copy_file_range
	}
	return errors.Join(err, out.Close())
}
