package console

import (
	"html/template"
	"time"

	"github.com/go-analyze/charts"
)

// graph is measures over time: a line for each. The template "graph" shows it with its legend, and with its numbers as a
// table.
type graph struct {
	Title  string
	Step   string // what lies between two points, such as "minute"
	Times  []time.Time
	Curves []curve
	Unit   unit
	Top    float64 // of the axis; 0 leaves it to what was measured
	SVG    template.HTML
}

// curve is one line of a graph. Names may come from outside, as those of a chart's lines.
type curve struct {
	Name   string
	Tone   string
	Values []*float64 // one for each time; nil where nothing was measured
	Link   string
}

// unit writes a measure.
type unit func(float64) string

// Write writes a measure, or that there is none.
func (u unit) Write(value *float64) string {
	if value == nil {
		return "–"
	}
	return u(*value)
}

// shownPoints is how many rows the table below a graph has.
const shownPoints = 200

// Rows are the numbers of the times that the table has, the latest.
func (g graph) Rows() []int {
	first := max(0, len(g.Times)-shownPoints)
	rows := make([]int, len(g.Times)-first)
	for i := range rows {
		rows[i] = first + i
	}
	return rows
}

// Left is how many times the table leaves out.
func (g graph) Left() int { return len(g.Times) - len(g.Rows()) }

// IsEmpty tells whether nothing was measured.
func (g graph) IsEmpty() bool {
	for _, curve := range g.Curves {
		for _, value := range curve.Values {
			if value != nil {
				return false
			}
		}
	}
	return true
}

// drawn returns the graph with its drawing.
func (g graph) drawn() (graph, error) {
	if g.IsEmpty() {
		return g, nil
	}
	values, tones := make([][]float64, len(g.Curves)), make([]string, len(g.Curves))
	for i, curve := range g.Curves {
		tones[i] = curve.Tone
		for _, value := range curve.Values {
			if value == nil {
				values[i] = append(values[i], charts.GetNullValue())
				continue
			}
			values[i] = append(values[i], *value)
		}
	}
	drawing := axis{g.Title, g.Step, g.Times}
	options := charts.NewLineChartOptionWithData(values)
	options.Theme = chartTheme(len(values))
	options.Legend.Show = charts.Ptr(false)
	options.Symbol.Shape = charts.SymbolNone // one value between two that are missing is a dot all the same
	options.XAxis.Labels = drawing.labels()
	options.XAxis.LabelCount, options.Padding = drawing.room()
	options.XAxis.LabelFontStyle.FontSize = chartFontSize
	options.YAxis = []charts.YAxisOption{{
		Min: charts.Ptr(0.0), LabelCount: 4, LabelFontStyle: charts.FontStyle{FontSize: chartFontSize},
		ValueFormatter: charts.ValueFormatter(g.Unit),
	}}
	if g.Top > 0 {
		options.YAxis[0].Max, options.YAxis[0].LabelCount = charts.Ptr(g.Top), 5
	}
	var err error
	g.SVG, err = drawing.draw(tones, func(painter *charts.Painter) error { return painter.LineChart(options) })
	return g, err
}
