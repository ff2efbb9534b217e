// Package anomalies is the gallery of anomalies, one scenario each, for rig matrix.
package anomalies

import "embed"

// FS has the scenarios.
//
//go:embed *.star
var FS embed.FS
