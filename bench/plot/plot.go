// Package plot draws how figures grow with a rate, as SVG. Both axes are logarithmic: rates and what they cost span several
// magnitudes.
package plot

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/go-analyze/charts/chartdraw"
	"github.com/go-analyze/charts/chartdraw/drawing"
)

// Chart is what is drawn: the values of lines at rates, which ascend.
type Chart struct {
	Title string
	Along string // the title of the axis of rates, with its unit
	Up    string // the title of the axis of values, with its unit
	Rates []float64
	Lines []Line
}

// Line is one of the lines, with a value at each rate. What is below 0.1 is drawn there: 0 has no logarithm.
type Line struct {
	Name   string
	Values []float64
}

// The size of a drawing. The legend stands on the right, in room of its own, where it covers nothing.
const (
	width       = 960
	height      = 480
	legendWidth = 190
)

// SVG draws the chart.
func (c Chart) SVG() ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("drawing %q: %w", c.Title, err)
	}
	text := words(10)
	grid := chartdraw.Style{StrokeColor: drawing.ColorFromHex("dddddd"), StrokeWidth: 1}
	drawn := chartdraw.Chart{
		Title: c.Title, TitleStyle: words(13), Width: width, Height: height,
		Background: chartdraw.Style{Padding: chartdraw.NewBox(75, 25, legendWidth, 20)},
		XAxis:      chartdraw.XAxis{Name: c.Along, NameStyle: text, Style: text, Ticks: ticks(c.Rates), GridMajorStyle: grid, GridMinorStyle: grid},
		// The axis that the library calls the secondary one is on the left.
		YAxis:          chartdraw.YAxis{Style: chartdraw.Hidden(), Range: &chartdraw.ContinuousRange{Min: 0, Max: 1}},
		YAxisSecondary: chartdraw.YAxis{Style: text, Ticks: ticks(c.values()), GridMajorStyle: grid, GridMinorStyle: grid},
		Elements:       []chartdraw.Renderable{c.legend(text), c.upTitle(text)},
	}
	for i, line := range c.Lines {
		drawn.Series = append(drawn.Series, chartdraw.ContinuousSeries{
			Name: line.Name, YAxis: chartdraw.YAxisSecondary, XValues: logarithms(c.Rates), YValues: logarithms(line.Values),
			Style: chartdraw.Style{StrokeColor: colour(i), StrokeWidth: 2, DotColor: colour(i), DotWidth: 3},
		})
	}
	var svg bytes.Buffer
	if err := drawn.Render(chartdraw.SVG, &svg); err != nil {
		return nil, fmt.Errorf("drawing %q: %w", c.Title, err)
	}
	return append(svg.Bytes(), '\n'), nil
}

func (c Chart) validate() error {
	if len(c.Rates) < 2 || len(c.Lines) == 0 {
		return fmt.Errorf("%d rates and %d lines are no chart", len(c.Rates), len(c.Lines))
	}
	if !slices.IsSorted(c.Rates) || c.Rates[0] <= 0 || c.Rates[0] == c.Rates[len(c.Rates)-1] {
		return fmt.Errorf("the rates %v do not ascend from above 0", c.Rates)
	}
	for _, line := range c.Lines {
		if len(line.Values) != len(c.Rates) {
			return fmt.Errorf("%s has %d values at %d rates", line.Name, len(line.Values), len(c.Rates))
		}
		if slices.Min(line.Values) < 0 {
			return fmt.Errorf("%s has a value below 0", line.Name)
		}
	}
	return nil
}

// values are those of all lines.
func (c Chart) values() []float64 {
	var all []float64
	for _, line := range c.Lines {
		all = append(all, line.Values...)
	}
	return all
}

func words(size float64) chartdraw.Style {
	return chartdraw.Style{FontStyle: chartdraw.FontStyle{FontSize: size, FontColor: drawing.ColorFromHex("333333")}}
}

// colour is one of eight that stay apart for the colour-blind, too (Okabe and Ito), the first again after the last.
func colour(i int) drawing.Color {
	hex := []string{"0072b2", "e69f00", "009e73", "d55e00", "56b4e9", "cc79a7", "777777", "000000"}
	return drawing.ColorFromHex(hex[i%len(hex)])
}
