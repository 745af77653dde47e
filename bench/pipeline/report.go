package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// results are all that was measured.
type results struct {
	Machine    string
	Mix        string
	Command    string
	IsEmbedded bool
	Steps      []Step
	Tables     []Table
	Highest    float64 `json:",omitempty"` // events per second that were sustained, with -find
}

func (r *results) printHead() {
	fmt.Printf("%s\n%s\n", r.Machine, r.Mix)
}

func (s Step) print() {
	fmt.Printf("\n== %.0f events/s asked, %.1f reached for %.1f s: %d events, %.1f %% repeats, %.2f runs an event; answers %s\n",
		s.Asked, s.Reached, s.Seconds, s.Events, 100*float64(s.Repeats)/float64(s.Events), float64(s.Runs)/float64(s.Events), s.answers())
	fmt.Printf("%-18s %s\n", "POST", s.Post)
	if s.Runs > 0 {
		fmt.Printf("%-18s %s\n", "POST to delivery", s.Delivery)
	}
	for _, lag := range s.Lag {
		grows := "does not grow"
		if lag.IsGrowing {
			grows = "GROWS"
		}
		fmt.Printf("%-18s mid %d, end %d records: %s\n", "lag "+lag.Role, lag.Mid, lag.End, grows)
	}
	s.printParts()
	fmt.Printf("%-18s %10s %10s\n", "topic", "B/event", "offsets/ev")
	var bytes float64
	for _, topic := range s.Topics {
		fmt.Printf("%-18s %10.1f %10.3f\n", topic.Name, topic.BytesPerEvent, topic.OffsetsPerEvent)
		bytes += topic.BytesPerEvent
	}
	fmt.Printf("%-18s %10.1f\n", "all topics", bytes)
	if problems := s.problems(); len(problems) > 0 {
		fmt.Println("NOT SUSTAINED:", strings.Join(problems, "; "))
	}
}

func (s Step) printParts() {
	fmt.Printf("%-18s %10s %10s %10s %10s %12s\n", "process", "cores", "µs/event", "RSS MiB", "anon MiB", "written B/ev")
	for _, part := range s.Parts {
		part.print()
	}
	_, sum := s.together()
	sum.Name = "the pipeline"
	sum.print()
	fmt.Printf("%-18s %10.2f\n", "other processes", s.Others)
}

// isMeasured reports whether a part is one of the pipeline, and not the rig's.
func (p PartUse) isMeasured() bool { return p.Name != sender().name && p.Name != workflowAPIName }

func (p PartUse) print() {
	fmt.Printf("%-18s %10.2f %10.1f %10.0f %10.0f %12.0f\n", p.Name, p.Cores, p.MicrosPerEvent, p.ResidentMiB, p.AnonymousMiB, p.WrittenPerEvent)
}

func (p *PartUse) add(other PartUse) {
	p.Cores += other.Cores
	p.MicrosPerEvent += other.MicrosPerEvent
	p.ResidentMiB += other.ResidentMiB
	p.AnonymousMiB += other.AnonymousMiB
	p.WrittenPerEvent += other.WrittenPerEvent
}

// String is the quantiles as a line of the table has them.
func (t Times) String() string {
	return fmt.Sprintf("p50 %.1f ms  p90 %.1f ms  p99 %.1f ms  p99.9 %.1f ms  max %.1f ms", t.P50, t.P90, t.P99, t.P999, t.Max)
}

func (s Step) answers() string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(s.Answers)) {
		all = append(all, fmt.Sprintf("%d: %d", status, s.Answers[status]))
	}
	return strings.Join(all, ", ")
}

func (r *results) printTables() {
	fmt.Printf("\n%-18s %10s %6s %10s %12s %12s %10s\n", "table", "rows", "parts", "B/row", "merged B/row", "raw B/row", "B/event")
	var bytes float64
	for _, t := range r.Tables {
		fmt.Printf("%-18s %10d %6d %10.1f %12.1f %12.1f %10.1f\n", t.Name, t.Rows, t.Parts, t.BytesPerRow, t.MergedPerRow, t.RawPerRow, t.BytesPerEvent)
		bytes += t.BytesPerEvent
	}
	fmt.Printf("%-18s %54s %10.1f\n", "all tables", "", bytes)
}

// write writes the results as JSON, unless path is "".
func (r *results) write(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
