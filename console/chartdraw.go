package console

import (
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-analyze/charts"
)

// What all charts are drawn with.

// The size of a chart in the units of its drawing; pages scale it.
const (
	chartWidth  = 960
	chartHeight = 220
)

// chartFontSize is what the library measures labels with, in points; the style sheet has the same in pixels.
const chartFontSize = 10

// axis is the time that a chart goes along.
type axis struct {
	Title string
	Step  string // what one step is, such as "minute"
	Times []time.Time
}

// timeFormat is how the times below a chart are written: by the server as layout says, and by the browser in the style of
// that name, which time.js has.
func (a axis) timeFormat() (layout, style string) {
	span := a.Times[len(a.Times)-1].Sub(a.Times[0])
	switch {
	case a.Step == "day" && span > 360*24*time.Hour:
		return "Jan 2 2006", "date"
	case a.Step == "day":
		return "Jan 2", "day"
	case span > 24*time.Hour:
		return "Jan 2 15:04", "hour"
	}
	return "15:04", "minute"
}

// room is how many times a chart has room for below it, and the space around it: browsers write days longer than the
// library measures, and the last one would be cut.
func (a axis) room() (labels int, padding charts.Box) {
	if _, style := a.timeFormat(); style == "hour" || style == "date" {
		return min(len(a.Times), 5), charts.NewBox(8, 8, 32, 8)
	}
	return min(len(a.Times), 7), charts.NewBoxEqual(8)
}

func (a axis) labels() []string {
	layout, _ := a.timeFormat()
	labels := make([]string, len(a.Times))
	for i, at := range a.Times {
		labels[i] = at.UTC().Format(layout)
	}
	return labels
}

// draw has the library draw, and makes its drawing one that pages can show. tones are the colours of the lines.
func (a axis) draw(tones []string, with func(*charts.Painter) error) (template.HTML, error) {
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: chartHeight})
	if err := with(painter); err != nil {
		return "", fmt.Errorf("drawing the chart %q: %w", a.Title, err)
	}
	svg, err := painter.Bytes()
	if err != nil {
		return "", fmt.Errorf("drawing the chart %q: %w", a.Title, err)
	}
	return a.styled(string(svg), tones), nil
}

// The library writes colours into style attributes, which the policy of the pages forbids and which know no dark mode.
// So it is given colours that only name a role, and each becomes a class.

func roleColour(kind, number uint8) charts.Color {
	return charts.Color{R: 1, G: kind, B: number, A: 255}
}

func chartTheme(lines int) charts.ColorPalette {
	colours := make([]charts.Color, lines)
	for i := range colours {
		colours[i] = roleColour(1, uint8(i))
	}
	text := roleColour(0, 0)
	return charts.MakeTheme(charts.ThemeOption{
		AxisStrokeColor: roleColour(0, 1), AxisSplitLineColor: roleColour(0, 1), BackgroundColor: roleColour(0, 2),
		TextColor: text, TextColorXAxis: text, TextColorYAxis: text, SeriesColors: colours,
	})
}

// styled turns the roles into classes, and marks the times, which the browser shows in the viewer's zone.
func (a axis) styled(svg string, tones []string) template.HTML {
	role := regexp.MustCompile(`style="[^"]*?rgb\(1,(\d),(\d+)\)[^"]*"`)
	svg = role.ReplaceAllStringFunc(svg, func(style string) string {
		found := role.FindStringSubmatch(style)
		number, err := strconv.Atoi(found[2])
		if err != nil {
			return ""
		}
		if found[1] == "1" && strings.Contains(style, "fill:none") {
			return `class="curve ` + tones[number%len(tones)] + `"`
		}
		if found[1] == "1" {
			return `class="bar ` + tones[number%len(tones)] + `"`
		}
		return []string{`class="label"`, `class="axis"`, `class="ground"`}[number%3]
	})
	opening := fmt.Sprintf(`<svg class="bars" role="img" aria-label="%s" `, template.HTMLEscapeString(a.Title))
	return template.HTML(strings.Replace(a.timed(svg), "<svg ", opening, 1)) //nolint:gosec // drawn by draw, of numbers and times alone
}

// timed marks the times. They stand in the drawing in their order; of two that are written alike the next one is meant.
func (a axis) timed(svg string) string {
	labels, next := a.labels(), 0
	_, style := a.timeFormat()
	return regexp.MustCompile(`<text [^>]*class="label"[^>]*>[^<]*</text>`).ReplaceAllStringFunc(svg, func(text string) string {
		label := text[strings.Index(text, ">")+1 : strings.LastIndex(text, "<")]
		at := slices.Index(labels[next:], label)
		if at < 0 {
			return text
		}
		at, next = next+at, next+at+1
		return fmt.Sprintf(`<text data-at="%s" data-show="%s"%s`, a.Times[at].UTC().Format(time.RFC3339), style, text[len("<text"):])
	})
}
