package elle

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"rig/runtime/history"
)

// TestSVG: the drawing is XML whatever keys are called, and has each operation and each edge.
func TestSVG(t *testing.T) {
	key := `"<b>&\u0001` + strings.Repeat("x", 300) + `"`
	text := strings.ReplaceAll(`{:type :ok :process 0 :value [[:r KEY []] [:append :y 1]]}
{:type :ok :process 1 :value [[:r :y []] [:append KEY 1]]}
{:type :ok :process 1 :value [[:r KEY [1]] [:r :y [1]]]}
`, "KEY", key)
	h, _, err := history.Read("f", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Check(context.Background(), h, Options{Model: ListAppend})
	if err != nil {
		t.Fatal(err)
	}
	svg := v.SVG()
	boxes, arrows := 0, 0
	var texts []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			for _, a := range x.Attr {
				if a.Name.Local == "rx" {
					boxes++
				}
				if a.Name.Local == "marker-end" {
					arrows++
				}
			}
		case xml.CharData:
			texts = append(texts, string(x))
		}
	}
	if boxes != 2 || arrows != 2 {
		t.Errorf("%d boxes, %d arrows", boxes, arrows)
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"G2-item", "T1 (line 1, process 0) read [] of", "rw: T2 read [] of :y and so did not see", "<b>&"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if empty := (&Verdict{}).SVG(); !strings.Contains(empty, "no cycles") {
		t.Errorf("%s", empty)
	}
}
