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

// chart is counts over time: bars that stand on each other, a colour for each line. The template "chart" shows it with
// its legend, and with its numbers as a table.
type chart struct {
	Title string
	Step  string // what one bar is, such as "minute"
	Times []time.Time
	Lines []line
	SVG   template.HTML
}

// line is one colour of a chart. Names may come from outside: they stand in the legend, which escapes them, never in
// the drawing.
type line struct {
	Name   string
	Tone   string // good, bad, idle, wait, or a1 to a8
	Counts []uint64
	Total  uint64
}

// The size of a chart in the units of its drawing; pages scale it.
const (
	chartWidth  = 960
	chartHeight = 220
)

// drawn returns the chart with its drawing.
func (c chart) drawn() (chart, error) {
	if len(c.Times) == 0 || len(c.Lines) == 0 {
		return c, nil
	}
	values := make([][]float64, len(c.Lines))
	for i, line := range c.Lines {
		for _, count := range line.Counts {
			values[i] = append(values[i], float64(count))
		}
	}
	labels := make([]string, len(c.Times))
	for i, at := range c.Times {
		labels[i] = at.UTC().Format(c.layout())
	}
	options := charts.NewBarChartOptionWithData(values)
	options.Theme = chartTheme(len(values))
	options.StackSeries = charts.Ptr(true)
	options.Padding = charts.NewBoxEqual(8)
	options.Legend.Show = charts.Ptr(false)
	options.BarSize = 0.8
	options.CategoryAxis.Labels = labels
	options.CategoryAxis.LabelCount = min(len(labels), 7)
	options.CategoryAxis.LabelFontStyle.FontSize = chartFontSize
	options.ValueAxis = []charts.ValueAxisOption{{
		Min: charts.Ptr(0.0), LabelCount: 4, LabelFontStyle: charts.FontStyle{FontSize: chartFontSize},
		ValueFormatter: func(value float64) string { return number(uint64(value)) },
	}}
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: chartHeight})
	if err := painter.BarChart(options); err != nil {
		return c, fmt.Errorf("drawing the chart %q: %w", c.Title, err)
	}
	svg, err := painter.Bytes()
	if err != nil {
		return c, fmt.Errorf("drawing the chart %q: %w", c.Title, err)
	}
	c.SVG = c.styled(string(svg), labels)
	return c, nil
}

// chartFontSize is what the library measures labels with, in points; the style sheet has the same in pixels.
const chartFontSize = 10

// layout is how the times below the bars are written.
func (c chart) layout() string {
	if c.Step == "day" {
		return "Jan 2"
	}
	return "15:04"
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
func (c chart) styled(svg string, labels []string) template.HTML {
	role := regexp.MustCompile(`style="[^"]*?rgb\(1,(\d),(\d+)\)[^"]*"`)
	svg = role.ReplaceAllStringFunc(svg, func(style string) string {
		found := role.FindStringSubmatch(style)
		number, err := strconv.Atoi(found[2])
		if err != nil {
			return ""
		}
		if found[1] == "1" {
			return `class="bar ` + c.Lines[number%len(c.Lines)].Tone + `"`
		}
		return []string{`class="label"`, `class="axis"`, `class="ground"`}[number%3]
	})
	svg = regexp.MustCompile(`<text [^>]*class="label"[^>]*>[^<]*</text>`).ReplaceAllStringFunc(svg, func(text string) string {
		label := text[strings.Index(text, ">")+1 : strings.LastIndex(text, "<")]
		if at := slices.Index(labels, label); at >= 0 {
			return fmt.Sprintf(`<text data-at="%s" data-show="%s"%s`, c.Times[at].UTC().Format(time.RFC3339), c.timeStyle(), text[len("<text"):])
		}
		return text
	})
	opening := fmt.Sprintf(`<svg class="bars" role="img" aria-label="%s" `, template.HTMLEscapeString(c.Title))
	return template.HTML(strings.Replace(svg, "<svg ", opening, 1)) //nolint:gosec // drawn above, of numbers and times alone
}

// timeStyle is how the browser writes the times.
func (c chart) timeStyle() string {
	if c.Step == "day" {
		return "day"
	}
	return "minute"
}

// spark draws counts as a line of small bars without axes.
func spark(counts []uint64) string {
	top := uint64(1)
	for _, count := range counts {
		top = max(top, count)
	}
	var path strings.Builder
	for i, count := range counts {
		if count > 0 {
			fmt.Fprintf(&path, "M%d 24v-%.1fh3V24z", i*4, max(1, 23*float64(count)/float64(top)))
		}
	}
	return path.String()
}
