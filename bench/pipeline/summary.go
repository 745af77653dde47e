package main

import (
	"cmp"
	"fmt"
	"slices"
)

// printSummary prints the steps side by side, the lowest rate first, as docs/capacity.md has them.
func (r *results) printSummary() {
	fmt.Println("\n| events/s | POST p50 | p99 | to delivery p50 | p99 | max | cores | µs/event | RSS of the roles | of all | B/event in Kafka | sustained |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|")
	steps := slices.SortedStableFunc(slices.Values(r.Steps), func(a, b Step) int { return cmp.Compare(a.Asked, b.Asked) })
	for _, s := range steps {
		roles, all := s.together()
		verdict := "yes"
		if len(s.problems()) > 0 {
			verdict = "no"
		}
		fmt.Printf("| %.0f | %.1f ms | %.1f ms | %.1f ms | %.1f ms | %.1f ms | %.2f | %.0f | %.0f MiB | %.0f MiB | %.0f | %s |\n", s.Asked, s.Post.P50, s.Post.P99,
			s.Delivery.P50, s.Delivery.P99, s.Delivery.Max, all.Cores, all.MicrosPerEvent, roles.ResidentMiB, all.ResidentMiB, allTopics(s), verdict)
	}
}

// together adds up the roles, and the roles with Kafka and ClickHouse.
func (s Step) together() (roles, all PartUse) {
	for _, part := range s.Parts {
		if !part.isMeasured() {
			continue
		}
		all.add(part)
		if part.Name != "Kafka" && part.Name != "ClickHouse" {
			roles.add(part)
		}
	}
	return roles, all
}
