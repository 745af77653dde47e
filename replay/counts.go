package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/schemas"
)

// The counters of a partition are committed together with its offset, as the commit's metadata, of which brokers take
// 4,096 bytes by default.
const (
	maxCountsBytes = 4_000
	maxReasonBytes = 160
	maxReasons     = 100 // that are told apart in memory
)

// counts are what was done in a part of a partition.
type counts struct {
	Read    int64            `json:"r,omitempty"`
	Skipped int64            `json:"s,omitempty"`
	Matched int64            `json:"m,omitempty"`
	Created int64            `json:"c,omitempty"`
	Existed int64            `json:"x,omitempty"`
	Errors  map[string]int64 `json:"e,omitempty"` // by reason
}

// fail counts an error.
func (c *counts) fail(reason string, times int64) {
	if len(reason) > maxReasonBytes {
		reason = strings.ToValidUTF8(reason[:maxReasonBytes], "") + "…"
	}
	if c.Errors == nil {
		c.Errors = map[string]int64{}
	}
	if _, known := c.Errors[reason]; !known && len(c.Errors) >= maxReasons {
		reason = schemas.OtherErrors
	}
	c.Errors[reason] += times
}

// plus returns the sum of both, which shares nothing with either.
func (c counts) plus(more counts) counts {
	sum := counts{
		c.Read + more.Read, c.Skipped + more.Skipped, c.Matched + more.Matched, c.Created + more.Created, c.Existed + more.Existed,
		maps.Clone(c.Errors),
	}
	for _, reason := range byCount(more.Errors) {
		sum.fail(reason, more.Errors[reason])
	}
	return sum
}

// encode writes the counts for a commit. Of the errors, the rarest are summed up where they would take too much.
func (c counts) encode() (string, error) {
	reasons := byCount(c.Errors)
	for keep := len(reasons); ; keep-- {
		short := c
		short.Errors = summedUp(c.Errors, reasons, keep)
		text, err := json.Marshal(short)
		if err != nil {
			return "", fmt.Errorf("writing the counters of a replay: %w", err)
		}
		if len(text) <= maxCountsBytes || keep == 0 {
			return string(text), nil
		}
	}
}

// summedUp keeps so many of the reasons and counts the others as one.
func summedUp(errors map[string]int64, reasons []string, keep int) map[string]int64 {
	kept := map[string]int64{}
	for i, reason := range reasons {
		if i >= keep {
			reason = schemas.OtherErrors
		}
		kept[reason] += errors[reasons[i]]
	}
	return kept
}

// byCount returns the reasons, the most frequent first.
func byCount(errors map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(errors), func(a, b string) int {
		return cmp.Or(cmp.Compare(errors[b], errors[a]), strings.Compare(a, b))
	})
}

func decodeCounts(metadata string) (c counts, err error) {
	if metadata == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(metadata), &c); err != nil {
		return c, fmt.Errorf("reading the counters of a replay from its commit %.80q: %w", metadata, err)
	}
	return c, nil
}
