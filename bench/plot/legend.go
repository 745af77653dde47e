package plot

import (
	"slices"

	"github.com/go-analyze/charts/chartdraw"
)

// The legend's measures, in the units of the drawing.
const (
	legendGap = 20 // from the drawing's right edge
	legendRow = 22
	sampleLen = 22
)

// legend returns what draws the names of the lines to the right of them, those of a stack from its top down.
func (c Chart) legend(text chartdraw.Style) chartdraw.Renderable {
	return func(r chartdraw.Renderer, canvas chartdraw.Box, defaults chartdraw.Style) {
		order := make([]int, len(c.Lines))
		for i := range order {
			order[i] = i
		}
		if c.IsStacked {
			slices.Reverse(order)
		}
		left, top := canvas.Right+legendGap, canvas.Top+legendRow/2
		for row, i := range order {
			y := top + row*legendRow
			sample := chartdraw.Style{StrokeColor: colour(i), StrokeWidth: 3}
			if c.IsStacked {
				sample.StrokeWidth = 12
			}
			sample.GetStrokeOptions().WriteToRenderer(r)
			r.MoveTo(left, y)
			r.LineTo(left+sampleLen, y)
			r.Stroke()
			chartdraw.Draw.Text(r, c.Lines[i].Name, left+sampleLen+8, y+5, text.InheritFrom(defaults))
		}
	}
}
