package plot

import "github.com/go-analyze/charts/chartdraw"

// The legend's measures, in the units of the drawing.
const (
	legendGap    = 20 // from the axes
	legendRow    = 22
	sampleLength = 22
)

// legend draws the names of the lines to the right of them.
func (c Chart) legend(text chartdraw.Style) chartdraw.Renderable {
	return func(r chartdraw.Renderer, canvas chartdraw.Box, defaults chartdraw.Style) {
		left := canvas.Right + legendGap
		for i, line := range c.Lines {
			y := canvas.Top + legendRow/2 + i*legendRow
			sample := chartdraw.Style{StrokeColor: colour(i), StrokeWidth: 3}
			sample.GetStrokeOptions().WriteToRenderer(r)
			r.MoveTo(left, y)
			r.LineTo(left+sampleLength, y)
			r.Stroke()
			chartdraw.Draw.Text(r, line.Name, left+sampleLength+8, y+5, text.InheritFrom(defaults))
		}
	}
}

// upTitle draws the title of the axis of values above it: the library's own, turned, runs out of the drawing.
func (c Chart) upTitle(text chartdraw.Style) chartdraw.Renderable {
	return func(r chartdraw.Renderer, canvas chartdraw.Box, defaults chartdraw.Style) {
		chartdraw.Draw.Text(r, c.Up, 20, canvas.Top-14, text.InheritFrom(defaults))
	}
}
