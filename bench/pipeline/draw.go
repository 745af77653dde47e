package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/millrace/millrace/bench/plot"
)

// draw draws how latency and cost grow with the rate.
func (r *results) draw(prefix string) error {
	if prefix == "" {
		return nil
	}
	steps := r.growth()
	for name, chart := range map[string]plot.Chart{"latency": r.latencyChart(steps), "cost": r.costChart(steps)} {
		svg, err := chart.SVG()
		if err != nil {
			return err
		}
		if err := os.WriteFile(prefix+"-"+name+".svg", svg, 0o644); err != nil {
			return fmt.Errorf("writing the drawing of the %s: %w", name, err)
		}
	}
	return nil
}

// growth returns one step of each rate, the lowest first: all that were sustained, and the next rate, which was not.
func (r *results) growth() []Step {
	var rates []float64
	for _, step := range r.Steps {
		rates = append(rates, step.Asked)
	}
	slices.Sort(rates)
	var kept, tooHigh []Step
	for _, rate := range slices.Compact(rates) {
		step, _ := r.at(rate)
		if len(step.problems()) > 0 {
			tooHigh = append(tooHigh, step)
			continue
		}
		kept, tooHigh = append(kept, step), nil // what was not sustained below this one was a neighbour's minute
	}
	return append(kept, tooHigh[:min(1, len(tooHigh))]...)
}

func (r *results) latencyChart(steps []Step) plot.Chart {
	c := r.chart("Latency", "milliseconds from when an event was due", steps)
	for _, line := range []struct {
		name string
		of   func(Step) float64
	}{
		{"POST to delivery, p99", func(s Step) float64 { return s.Delivery.P99 }},
		{"POST to delivery, p50", func(s Step) float64 { return s.Delivery.P50 }},
		{"POST to 204, p99", func(s Step) float64 { return s.Post.P99 }},
		{"POST to 204, p50", func(s Step) float64 { return s.Post.P50 }},
	} {
		c.Lines = append(c.Lines, plot.Line{Name: line.name, Values: each(steps, line.of)})
	}
	return c
}

func (r *results) costChart(steps []Step) plot.Chart {
	c := r.chart("CPU per event", "microseconds of CPU per event", steps)
	if len(steps) == 0 {
		return c
	}
	c.Lines = append(c.Lines, plot.Line{Name: "all together", Values: each(steps, func(s Step) float64 {
		_, all := s.together()
		return all.MicrosPerEvent
	})})
	for i, part := range steps[0].Parts { // they are the same in each step
		if part.isMeasured() && part.Name != "api" { // which has no part in an event
			c.Lines = append(c.Lines, plot.Line{Name: part.Name, Values: each(steps, func(s Step) float64 { return s.Parts[i].MicrosPerEvent })})
		}
	}
	return c
}

func (r *results) chart(what, up string, steps []Step) plot.Chart {
	title := what + " by rate, on " + r.kafka()
	if last := len(steps) - 1; last >= 0 && len(steps[last].problems()) > 0 {
		title += "; the last rate was not sustained"
	}
	return plot.Chart{Title: title, Along: "events per second", Up: up, Rates: each(steps, func(s Step) float64 { return s.Asked })}
}

func each(steps []Step, of func(Step) float64) []float64 {
	values := make([]float64, len(steps))
	for i, step := range steps {
		values[i] = of(step)
	}
	return values
}
