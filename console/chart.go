package console

import (
	"fmt"
	"html/template"
	"slices"
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

// line is one colour of a bar chart. Names may come from outside: they stand in the legend, which escapes them, never in
// the drawing.
type line struct {
	Name   string
	Tone   string // good, bad, idle, wait, faint, or a1 to a8
	Counts []uint64
	Total  uint64
	Link   string // address of what it counts; "" is none
}

// maxBars is how many bars a chart has room for.
const maxBars = 200

// fitted adds neighbours up where there are more steps than bars fit, and returns of how many steps one bar is.
func (c chart) fitted() (chart, int) {
	steps := max(1, (len(c.Times)+maxBars-1)/maxBars)
	if steps == 1 {
		return c, steps
	}
	all := c.Times
	c.Times = nil
	for i := 0; i < len(all); i += steps {
		c.Times = append(c.Times, all[i])
	}
	c.Lines = slices.Clone(c.Lines)
	for i, line := range c.Lines {
		c.Lines[i].Counts = make([]uint64, len(c.Times))
		for at, count := range line.Counts {
			c.Lines[i].Counts[at/steps] += count
		}
	}
	return c, steps
}

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
	tones := make([]string, len(c.Lines))
	for i, line := range c.Lines {
		tones[i] = line.Tone
	}
	drawing := axis{c.Title, c.Step, c.Times}
	options := charts.NewBarChartOptionWithData(values)
	options.Theme = chartTheme(len(values))
	options.StackSeries = charts.Ptr(true)
	options.Legend.Show = charts.Ptr(false)
	options.BarSize = 0.8
	options.CategoryAxis.Labels = drawing.labels()
	options.CategoryAxis.LabelCount, options.Padding = drawing.room()
	options.CategoryAxis.LabelFontStyle.FontSize = chartFontSize
	options.ValueAxis = []charts.ValueAxisOption{{
		Min: charts.Ptr(0.0), LabelCount: 4, LabelFontStyle: charts.FontStyle{FontSize: chartFontSize},
		ValueFormatter: func(value float64) string { return number(uint64(value)) },
	}}
	var err error
	c.SVG, err = drawing.draw(tones, func(painter *charts.Painter) error { return painter.BarChart(options) })
	return c, err
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
