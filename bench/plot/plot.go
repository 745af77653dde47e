// Package plot draws how figures grow with a rate, as SVG: the rate goes along a logarithmic axis.
package plot

import (
	"bytes"
	"errors"
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
	// IsLogarithmic is for values of several magnitudes. IsStacked piles the lines up, as areas: the first one lies at the
	// bottom. One excludes the other.
	IsLogarithmic, IsStacked bool
}

// Line is one of the lines, with a value at each rate.
type Line struct {
	Name   string
	Values []float64
}

// The size of a drawing. The legend stands on the right, in room of its own, where it covers nothing.
const (
	width       = 960
	height      = 480
	legendWidth = 190
	fontSize    = 10
)

// SVG draws the chart.
func (c Chart) SVG() ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("drawing %q: %w", c.Title, err)
	}
	text := chartdraw.Style{FontStyle: chartdraw.FontStyle{FontSize: fontSize, FontColor: drawing.ColorFromHex("333333")}}
	grid := chartdraw.Style{StrokeColor: drawing.ColorFromHex("dddddd"), StrokeWidth: 1}
	drawn := chartdraw.Chart{
		Title: c.Title, TitleStyle: chartdraw.Style{FontStyle: chartdraw.FontStyle{FontSize: 13, FontColor: text.FontColor}},
		Width: width, Height: height,
		Background: chartdraw.Style{Padding: chartdraw.NewBox(50, 30, legendWidth, 20)},
		XAxis:      chartdraw.XAxis{Name: c.Along, NameStyle: text, Style: text, Ticks: c.rateTicks(), GridMajorStyle: grid, GridMinorStyle: grid},
		// The axis that the library calls the secondary one is on the left.
		YAxis:          chartdraw.YAxis{Style: chartdraw.Hidden(), Range: &chartdraw.ContinuousRange{Min: 0, Max: 1}},
		YAxisSecondary: chartdraw.YAxis{Name: c.Up, NameStyle: upwards(text), Style: text, Ticks: c.valueTicks(), GridMajorStyle: grid, GridMinorStyle: grid},
	}
	for i, values := range c.heights() {
		drawn.Series = append(drawn.Series, c.series(i, values))
	}
	if c.IsStacked { // the tallest first: the others are drawn over it
		slices.Reverse(drawn.Series)
	}
	drawn.Elements = []chartdraw.Renderable{c.legend(text)}
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
	if c.IsLogarithmic && c.IsStacked {
		return errors.New("a stack on a logarithmic axis would mislead")
	}
	return nil
}

func upwards(style chartdraw.Style) chartdraw.Style {
	style.TextRotationDegrees = 270
	return style
}

func (c Chart) series(i int, heights []float64) chartdraw.Series {
	style := chartdraw.Style{StrokeColor: colour(i), StrokeWidth: 2, DotColor: colour(i), DotWidth: 3}
	if c.IsStacked {
		style = chartdraw.Style{StrokeColor: colour(i), StrokeWidth: 1, FillColor: colour(i)}
	}
	return chartdraw.ContinuousSeries{
		Name: c.Lines[i].Name, Style: style, YAxis: chartdraw.YAxisSecondary, XValues: logarithms(c.Rates), YValues: heights,
	}
}

// colour is one of eight that stay apart for the colour-blind, too (Okabe and Ito), the first again after the last.
func colour(i int) drawing.Color {
	hex := []string{"0072b2", "e69f00", "009e73", "d55e00", "56b4e9", "cc79a7", "f0e442", "777777"}
	return drawing.ColorFromHex(hex[i%len(hex)])
}
