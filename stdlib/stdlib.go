// Package stdlib is the embedded library of scripts that load("@rig//x.star") finds.
package stdlib

import "embed"

// FS has the files.
//
//go:embed *.star
var FS embed.FS
