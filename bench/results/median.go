package results

import "slices"

// Median returns the median of a figure of turns: of two in the middle the mean. There must be a turn.
func Median[Turn any](turns []Turn, figure func(Turn) float64) float64 {
	values := make([]float64, len(turns))
	for i, turn := range turns {
		values[i] = figure(turn)
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2
	}
	return values[middle]
}
