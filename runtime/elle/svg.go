package elle

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// The measures of the drawing, in pixels; a letter of the monospaced font is 0.6 of its size wide.
const (
	fontSize   = 12
	letter     = 7.3
	boxHeight  = 26
	boxLeft    = 60
	stepHeight = 64 // from one box to the next
	laneLeft   = 24 // where the edge that closes a cycle goes up
	textMost   = 160
)

// SVG draws the cycles of a verdict as a page of its own: the operations of each below each other, the edge that closes it
// at the left.
func (v *Verdict) SVG() string {
	var body strings.Builder
	y, width := 20, 200.0
	for _, a := range v.Anomalies {
		if len(a.Cycle) == 0 {
			continue
		}
		d := drawing{out: &body, top: y}
		d.cycle(a)
		y, width = d.bottom, max(width, d.width)
	}
	if body.Len() == 0 {
		fmt.Fprintf(&body, `<text x="20" y="%d">no cycles</text>`+"\n", y+fontSize)
		y += 2 * fontSize
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="monospace" font-size="%d">`+"\n", width+20, y+20, fontSize)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for _, kind := range kindNames[:fromHub] {
		fmt.Fprintf(&b, `<marker id="%s" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="%s"/></marker>`+"\n", kind, colors[kind])
	}
	b.WriteString(body.String())
	b.WriteString("</svg>\n")
	return b.String()
}

// drawing is one cycle.
type drawing struct {
	out         *strings.Builder
	top, bottom int
	width       float64
}

func (d *drawing) cycle(a Anomaly) {
	d.text(20, d.top+fontSize, "#000000", a.Name, `font-weight="bold" `)
	y := d.top + 30
	for i, e := range a.Cycle {
		d.box(y, a.Ops[i%len(a.Ops)])
		if i < len(a.Cycle)-1 {
			d.arrow(e.Kind, fmt.Sprintf("M%d %dV%d", boxLeft+30, y+boxHeight, y+stepHeight))
			d.text(boxLeft+42, y+boxHeight+23, colors[e.Kind], e.Kind+": "+e.Why, "")
		}
		y += stepHeight
	}
	first, last := d.top+30+boxHeight/2, y-stepHeight+boxHeight/2
	e := a.Cycle[len(a.Cycle)-1]
	d.arrow(e.Kind, fmt.Sprintf("M%d %dH%dV%dH%d", boxLeft, last, laneLeft, first, boxLeft))
	d.text(laneLeft, last+boxHeight/2+20, colors[e.Kind], e.Kind+": "+e.Why, "")
	d.bottom = last + boxHeight/2 + 50
}

func (d *drawing) box(y int, text string) {
	text = legible(text)
	wide := float64(utf8.RuneCountInString(text))*letter + 20
	fmt.Fprintf(d.out, `<rect x="%d" y="%d" width="%.0f" height="%d" rx="4" fill="#f4f4f4" stroke="#666666"/>`+"\n", boxLeft, y, wide, boxHeight)
	d.width = max(d.width, boxLeft+wide)
	d.text(boxLeft+10, y+17, "#000000", text, "")
}

func (d *drawing) arrow(kind, path string) {
	fmt.Fprintf(d.out, `<path d="%s" fill="none" stroke="%s" marker-end="url(#%s)"/>`+"\n", path, colors[kind], kind)
}

func (d *drawing) text(x, y int, color, text, style string) {
	text = legible(text)
	d.width = max(d.width, float64(x)+float64(utf8.RuneCountInString(text))*letter)
	fmt.Fprintf(d.out, `<text x="%d" y="%d" %sfill="%s">%s</text>`+"\n", x, y, style, color, html.EscapeString(text))
}

// legible shortens a text, and takes out what XML has no place for.
func legible(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > textMost {
		return string(runes[:textMost-3]) + "..."
	}
	return text
}
