package plot

import (
	"math"
	"strconv"

	"github.com/go-analyze/charts/chartdraw"
)

// leastLogarithm is where a logarithmic axis of values begins: what is less is drawn there, as 0 has no logarithm.
const leastLogarithm = -1

// logarithms returns where values are on a logarithmic axis.
func logarithms(values []float64) []float64 {
	at := make([]float64, len(values))
	for i, value := range values {
		at[i] = math.Log10(value)
	}
	return at
}

// heights returns where each line is drawn, on the scale of the axis: stacked ones on top of those before.
func (c Chart) heights() [][]float64 {
	all := make([][]float64, len(c.Lines))
	for i, line := range c.Lines {
		all[i] = make([]float64, len(line.Values))
		for at, value := range line.Values {
			switch {
			case c.IsLogarithmic:
				all[i][at] = max(math.Log10(value), leastLogarithm)
			case c.IsStacked && i > 0:
				all[i][at] = all[i-1][at] + value
			default:
				all[i][at] = value
			}
		}
	}
	return all
}

// rateTicks marks 1, 2 and 5 of each magnitude, from one at or below the first rate to one at or above the last.
func (c Chart) rateTicks() []chartdraw.Tick {
	return logarithmicTicks(c.Rates[0], c.Rates[len(c.Rates)-1], 1, 2, 5)
}

func (c Chart) valueTicks() []chartdraw.Tick {
	least, most := math.Inf(1), 0.0
	for i, heights := range c.heights() {
		for at, height := range heights {
			if c.IsLogarithmic {
				height = math.Pow(10, max(math.Log10(c.Lines[i].Values[at]), leastLogarithm))
			}
			least, most = min(least, height), max(most, height)
		}
	}
	if c.IsLogarithmic {
		return logarithmicTicks(least, most, 1, 2, 5)
	}
	return linearTicks(most)
}

// logarithmicTicks returns the ticks at these multiples of powers of ten around a range, as little more as they can.
func logarithmicTicks(least, most float64, multiples ...float64) []chartdraw.Tick {
	var all []float64
	for power := math.Floor(math.Log10(least)); power <= math.Ceil(math.Log10(most)); power++ {
		for _, multiple := range multiples {
			all = append(all, multiple*math.Pow(10, power))
		}
	}
	for len(all) > 2 && all[1] <= least {
		all = all[1:]
	}
	for len(all) > 2 && all[len(all)-2] >= most {
		all = all[:len(all)-1]
	}
	ticks := make([]chartdraw.Tick, len(all))
	for i, value := range all {
		ticks[i] = chartdraw.Tick{Value: math.Log10(value), Label: number(value)}
	}
	return ticks
}

// linearTicks returns four to ten round ticks from 0 to one at or above most.
func linearTicks(most float64) []chartdraw.Tick {
	if most <= 0 {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for _, part := range []float64{5, 2} {
		if most/step < 4 {
			step = math.Pow(10, math.Floor(math.Log10(most))) / 10 * part
		}
	}
	var ticks []chartdraw.Tick
	for i := 0; ; i++ {
		value := float64(i) * step
		ticks = append(ticks, chartdraw.Tick{Value: value, Label: number(value)})
		if value >= most {
			return ticks
		}
	}
}

// number writes a value of a tick, thousands apart.
func number(value float64) string {
	text := strconv.FormatFloat(value, 'g', 6, 64)
	if value < 1000 || value != math.Trunc(value) {
		return text
	}
	text = strconv.FormatFloat(value, 'f', 0, 64)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
