package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// Text writes a line for each finding, with its hint below it.
func Text(w io.Writer, found []Finding) {
	for _, f := range found {
		fmt.Fprintf(w, "%s: %s: %s\n", f.Pos, f.Code, strings.ReplaceAll(f.Msg, "\n", "\n    "))
		if f.Hint != "" {
			fmt.Fprintf(w, "    hint: %s\n", f.Hint)
		}
	}
}

func (f Finding) level() string {
	if f.Error {
		return "error"
	}
	return "warning"
}

func (f Finding) sentence() string {
	if f.Hint == "" {
		return f.Msg
	}
	return f.Msg + " (" + f.Hint + ")"
}

// GitHub writes the findings as workflow commands: GitHub shows them beside the lines of a change.
func GitHub(w io.Writer, found []Finding) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, f := range found {
		fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", f.level(), property.Replace(f.Pos.File), max(1, f.Pos.Line), max(1, f.Pos.Col), property.Replace("rig lint "+f.Code), data.Replace(f.sentence()))
	}
}

// The parts of SARIF 2.1.0 that the findings fill: a run of one tool, its rules, a result with one place each.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int32 `json:"startLine"`
		StartColumn int32 `json:"startColumn"`
		EndLine     int32 `json:"endLine,omitempty"`
		EndColumn   int32 `json:"endColumn,omitempty"`
	}
)

// uri gives a path as SARIF wants it: a reference, relative where the path is, with blanks and the like escaped.
func uri(path string) string { return (&url.URL{Path: filepath.ToSlash(path)}).String() }

// SARIF writes the findings for code scanning services. Columns count code points, as positions of scripts do.
func SARIF(w io.Writer, version string, found []Finding) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "rig lint", Version: version}}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	index := map[string]int{}
	for i, r := range Rules() {
		index[r.Code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{r.Code, sarifText{r.Doc}})
	}
	for _, f := range found {
		region := sarifRegion{StartLine: max(1, f.Pos.Line), StartColumn: max(1, f.Pos.Col), EndLine: f.End.Line, EndColumn: f.End.Col}
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Code, RuleIndex: index[f.Code], Level: f.level(), Message: sarifText{f.sentence()},
			Locations: []sarifLocation{{sarifPhysical{sarifArtifact{uri(f.Pos.File)}, region}}},
		})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
