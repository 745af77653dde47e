package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ClickHouse is what the server says, and what migrations it has.
type ClickHouse struct {
	Version                  string
	Free                     uint64 // bytes; 0 where it cannot be asked
	HasDatabase              bool
	Pending, Edited, Unknown []string
	TTLs                     []string // tables whose rows are kept for another time than the settings say
}

const (
	// The JSON type is laid out in this version and later ones so that a path is read without the others.
	minMajor, minMinor = 25, 8
	// minFree is what merges need room for.
	minFree = 10 << 30
)

// JudgeClickHouse tells whether the server can hold the event log.
func JudgeClickHouse(found ClickHouse) []Finding {
	const check, tables = "clickhouse", "tables"
	findings := []Finding{fine(check, "it answers: version "+found.Version)}
	if isOlder(found.Version) {
		findings[0] = Finding{check, Problem, "version " + found.Version + " is too old for the tables", fmt.Sprintf("have %d.%d or newer", minMajor, minMinor)}
	}
	if found.Free > 0 && found.Free < minFree {
		findings = append(findings, Finding{check, Warning, fmt.Sprintf("a disk has %d MB left", found.Free>>20), "make room, or keep rows for fewer days (--clickhouse-ttl-events and its like, then millrace migrate)"})
	}
	before := len(findings)
	add := func(level Level, names []string, text, hint string) {
		if len(names) > 0 {
			findings = append(findings, Finding{tables, level, text + strings.Join(names, ", "), hint})
		}
	}
	if !found.HasDatabase {
		return append(findings, Finding{tables, Problem, "the database is not there", "millrace migrate"})
	}
	add(Problem, found.Pending, "not applied: ", "millrace migrate")
	add(Problem, found.Edited, "applied with other contents: ", "run the version of Millrace that applied them, or have the tables made anew: millrace eventlog rebuild")
	add(Warning, found.Unknown, "applied by a newer Millrace: ", "finish the upgrade, so that all run the same version")
	add(Warning, found.TTLs, "rows are kept for another time than the settings say: ", "millrace migrate")
	if len(findings) == before {
		findings = append(findings, fine(tables, "every migration is applied"))
	}
	return findings
}

func isOlder(version string) bool {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return false // whoever builds such a version knows
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err == nil && err2 == nil && slices.Compare([]int{major, minor}, []int{minMajor, minMinor}) < 0
}
