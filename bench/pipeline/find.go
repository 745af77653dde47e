package main

import (
	"context"
	"fmt"
)

// find looks for the highest rate that is sustained: it doubles the last one given until one is too high, and then halves the
// gap until it is small. The rates before that one are measured first, for the drawings.
func find(ctx context.Context, w *world, results *results) error {
	last := len(w.settings.rates) - 1
	for _, rate := range w.settings.rates[:last] {
		if _, err := try(ctx, w, rate, results); err != nil {
			return fmt.Errorf("at %g events/s: %w", rate, err)
		}
	}
	var highest, lowest float64 // sustained; too high, 0 while none is known
	rate := w.settings.rates[last]
	for lowest == 0 || lowest > highest*w.settings.precision {
		isSustained, err := try(ctx, w, rate, results)
		if err != nil {
			return fmt.Errorf("at %g events/s: %w", rate, err)
		}
		if isSustained {
			highest = rate
		} else {
			lowest = rate
		}
		switch {
		case lowest == 0:
			rate *= 2
		case highest == 0:
			rate /= 2
		default:
			rate = (highest + lowest) / 2
		}
		if rate < 1 {
			return fmt.Errorf("not even %g events/s are sustained", lowest)
		}
	}
	results.Highest = highest
	fmt.Printf("\nhighest rate sustained, of those measured: %.0f events/s; %.0f were too many, twice\n", highest, lowest)
	return nil
}

// tries is how often a rate is measured before it is too high: a neighbour's minute would halve the answer otherwise.
const tries = 2

func try(ctx context.Context, w *world, rate float64, results *results) (isSustained bool, err error) {
	for range tries {
		step, err := w.measure(ctx, rate, w.settings.warmUp, w.settings.length)
		if err != nil {
			return false, err
		}
		step.print()
		results.Steps = append(results.Steps, step)
		if len(step.problems()) == 0 {
			return true, nil
		}
	}
	return false, nil
}
