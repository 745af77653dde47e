package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/millrace/millrace/bench/results"
	"github.com/millrace/millrace/bench/usage"
)

// reading is how far a turn is, and what this process and the engine have taken so far.
type reading struct {
	at             time.Time
	rows           int
	client, engine time.Duration
}

// meter reads.
type meter struct{ engine int } // the engine's process

// newMeter looks for the engine: the one child of this process beside the broker.
func newMeter(broker int) (meter, error) {
	children, err := usage.Children(os.Getpid())
	if err != nil {
		return meter{}, err
	}
	children = slices.DeleteFunc(children, func(pid int) bool { return pid == broker })
	if len(children) != 1 {
		return meter{}, fmt.Errorf("%d processes may be the engine", len(children))
	}
	return meter{children[0]}, nil
}

func (m meter) read(rows int) (reading, error) {
	client, err := usage.CPU(os.Getpid())
	if err != nil {
		return reading{}, err
	}
	engine, err := usage.CPU(m.engine)
	return reading{time.Now(), rows, client, engine}, err
}

// cost is what a turn took.
type cost struct {
	perSecond      float64 // rows
	client, engine float64 // microseconds of CPU for each row
}

func (from reading) until(to reading) (cost, error) {
	rows := float64(to.rows - from.rows)
	if rows <= 0 {
		return cost{}, errors.New("all was inserted at once; measure more -events")
	}
	return cost{
		perSecond: rows / to.at.Sub(from.at).Seconds(),
		client:    float64((to.client - from.client).Microseconds()) / rows,
		engine:    float64((to.engine - from.engine).Microseconds()) / rows,
	}, nil
}

func (c cost) String() string {
	return fmt.Sprintf("%8.0f rows/s  %6.2f us of CPU a row here, %6.2f in the engine", c.perSecond, c.client, c.engine)
}

// medians returns the median of each figure by itself.
func medians(all []cost) cost {
	return cost{
		results.Median(all, func(c cost) float64 { return c.perSecond }),
		results.Median(all, func(c cost) float64 { return c.client }),
		results.Median(all, func(c cost) float64 { return c.engine }),
	}
}
