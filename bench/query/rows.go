package main

import (
	"fmt"
	"time"

	table "github.com/millrace/millrace/bench/results"
)

// longestAnswer is what an answer may take, over 100 million events.
const longestAnswer = time.Second

// row puts the time that 19 of 20 answers keep below beside what they may take.
func row(question string, events uint64, p95 float64) table.Row {
	return table.Row{
		Section: "queries", What: fmt.Sprintf("%s, %s events", question, millions(events)), Unit: "ms, p95", Ours: p95,
		Beside: "limit", Theirs: float64(longestAnswer.Milliseconds()), Goal: 1, IsCeiling: true,
	}
}

func millions(events uint64) string {
	return fmt.Sprint(float64(events)/1e6, "M")
}
