package value

import (
	"errors"
	"io/fs"
	"strings"
)

// FileError tells in a user's words why a file beside the script cannot be opened.
func FileError(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path + ": no such file beside the script"
	case strings.Contains(err.Error(), "path escapes"): // os.Root's error has no name
		return path + ": it leads out of the script's folder; files lie beside the script, or below"
	}
	return err.Error()
}
