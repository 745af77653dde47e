package main

import (
	"errors"
	"fmt"
	"slices"

	table "github.com/millrace/millrace/bench/results"
)

// outputs are the files that results are written to; an empty name is none.
type outputs struct {
	steps string // all of it
	rows  string // for the table of `make bench`
	plots string // what the names of the drawings begin with
}

func (o outputs) write(r *results) error {
	return errors.Join(r.write(o.steps), table.Write(o.rows, r.rows()), r.draw(o.plots))
}

// tell writes the rows and the drawings of what was measured before.
func tell(steps string, o outputs) error {
	r, err := readResults(steps)
	if err != nil {
		return err
	}
	o.steps = ""
	return o.write(&r)
}

// The goals. They are for a machine of two cores.
const (
	goalRate     = 15_000 // events/s sustained
	goalDelivery = 250    // ms, p99 from POST to delivery, at comfortRate
	goalResident = 1024   // MiB of all roles together, likewise
	comfortRate  = 1000   // events/s
)

// rows puts the goals beside what was reached.
func (r *results) rows() []table.Row {
	on, roles := r.kafka(), "RSS of all roles"
	if r.IsEmbedded {
		roles = "RSS of all roles and Kafka" // which are one process
	}
	var all []table.Row
	if r.Highest > 0 {
		all = append(all, table.Row{
			Section: "pipeline", What: "highest rate sustained, " + on, Unit: "events/s",
			Ours: r.Highest, Beside: "goal, 2 cores", Theirs: goalRate, Goal: 1,
		})
	}
	step, found := r.at(comfortRate)
	if !found {
		return all
	}
	resident, _ := step.together()
	at := fmt.Sprintf(" at %d events/s, %s", comfortRate, on)
	return append(
		all,
		table.Row{
			Section: "pipeline", What: "POST to delivery, p99," + at, Unit: "ms",
			Ours: step.Delivery.P99, Beside: "goal", Theirs: goalDelivery, Goal: 1, IsCeiling: true,
		},
		table.Row{
			Section: "pipeline", What: roles + at, Unit: "MiB",
			Ours: resident.ResidentMiB, Beside: "goal", Theirs: goalResident, Goal: 1, IsCeiling: true,
		},
	)
}

// kafka says which one the pipeline ran on.
func (r *results) kafka() string {
	if r.IsEmbedded {
		return "embedded Kafka"
	}
	return "Apache Kafka"
}

// at returns the last step at a rate: a rate is only measured again when it was too high before.
func (r *results) at(rate float64) (Step, bool) {
	for _, step := range slices.Backward(r.Steps) {
		if step.Asked == rate {
			return step, true
		}
	}
	return Step{}, false
}
