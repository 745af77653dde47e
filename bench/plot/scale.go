package plot

import (
	"math"
	"slices"
	"strconv"

	"github.com/go-analyze/charts/chartdraw"
)

// least is the smallest value that is told apart.
const least = 0.1

// logarithms returns where values are on an axis.
func logarithms(values []float64) []float64 {
	at := make([]float64, len(values))
	for i, value := range values {
		at[i] = math.Log10(max(value, least))
	}
	return at
}

// ticks marks 1, 2 and 5 of each magnitude, from the last at or below all values to the first at or above them.
func ticks(values []float64) []chartdraw.Tick {
	from, to := max(slices.Min(values), least), max(slices.Max(values), least)
	var all []float64
	for power := math.Floor(math.Log10(from)); power <= math.Ceil(math.Log10(to)); power++ {
		for _, multiple := range []float64{1, 2, 5} {
			all = append(all, multiple*math.Pow(10, power))
		}
	}
	for len(all) > 2 && all[1] <= from {
		all = all[1:]
	}
	for len(all) > 2 && all[len(all)-2] >= to {
		all = all[:len(all)-1]
	}
	marks := make([]chartdraw.Tick, len(all))
	for i, value := range all {
		marks[i] = chartdraw.Tick{Value: math.Log10(value), Label: number(value)}
	}
	return marks
}

// number writes a value of a tick, thousands apart.
func number(value float64) string {
	if value < 1000 {
		return strconv.FormatFloat(value, 'g', 6, 64)
	}
	text := strconv.FormatFloat(value, 'f', 0, 64)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
