package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/schemas"
)

// lag is how many records each group is behind, at one time.
type lag struct {
	at       time.Time
	behind   map[string]int64 // by role
	isJoined bool             // whether each group has members
}

func (l lag) total() int64 {
	var sum int64
	for _, records := range l.behind {
		sum += records
	}
	return sum
}

// lag asks Kafka. The marker of a transaction takes an offset that nobody commits, so a partition that is written in
// transactions is never less than one behind.
func (w *world) lag(ctx context.Context) (lag, error) {
	roles := groups(w.cluster)
	names := make([]string, 0, len(roles))
	for _, name := range roles {
		names = append(names, name)
	}
	asked := time.Now()
	described, err := w.topics.Lag(ctx, names...)
	if err != nil {
		return lag{}, fmt.Errorf("asking for the lag: %w", err)
	}
	inTransactions := []string{w.cluster.Topic(schemas.DecisionsTopic), w.cluster.Topic(schemas.RunsTopic), w.cluster.Topic(schemas.AuditTopic)}
	found := lag{at: asked, behind: map[string]int64{}, isJoined: true}
	for role, name := range roles {
		group := described[name]
		if err := group.Error(); err != nil {
			return lag{}, fmt.Errorf("asking how far %s is behind: %w", role, err)
		}
		found.isJoined = found.isJoined && len(group.Members) > 0
		found.behind[role] = 0
		for topic, partitions := range group.Lag {
			for _, partition := range partitions {
				behind := max(partition.Lag, 0)
				if slices.Contains(inTransactions, topic) {
					behind = max(behind-1, 0)
				}
				found.behind[role] += behind
			}
		}
	}
	return found, nil
}

// lagInterval is no part of a second: offsets are committed and rows inserted at such, and samples in step with them would
// all be the same.
const lagInterval = 400 * time.Millisecond

// lagSeries samples the lag until stopped.
type lagSeries struct {
	stop  context.CancelFunc
	group sync.WaitGroup
	all   []lag
	err   error
}

func (w *world) followLag(ctx context.Context) *lagSeries {
	ctx, stop := context.WithCancel(ctx)
	s := &lagSeries{stop: stop}
	s.group.Go(func() {
		ticks := time.NewTicker(lagInterval)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			found, err := w.lag(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.err = err
				return
			}
			s.all = append(s.all, found)
		}
	})
	return s
}

func (s *lagSeries) end() ([]lag, error) {
	s.stop()
	s.group.Wait()
	return s.all, s.err
}

// Behind is how far a role was behind in the middle of a step and at its end, each the median of a quarter of it.
type Behind struct {
	Role      string
	Mid, End  int64 // records
	IsGrowing bool
}

// A lag counts as growing when it rises from the middle of a step to its end by more than a share of what was to be read in
// that time, and by more than what half a second brings: offsets are committed once a second, and rows inserted at intervals,
// which a median does not even out. At a few events a second one of those is a large part, hence a number.
const (
	growthShare   = 0.05
	growthTime    = 500 * time.Millisecond
	growthRecords = 100
)

func isGrowing(mid, end, records int64, length time.Duration) bool {
	allowed := float64(records) * (growthShare/2 + growthTime.Seconds()/length.Seconds())
	return float64(end-mid) > max(growthRecords, allowed)
}

// behind compares the second quarter of a step with the last. records is how many each role had to read in the step.
func behind(series []lag, records map[string]int64, length time.Duration) []Behind {
	var all []Behind
	for _, role := range []string{"processor", "dispatcher", "eventlog"} {
		found := Behind{Role: role, Mid: medianLag(quarter(series, 1), role), End: medianLag(quarter(series, 3), role)}
		found.IsGrowing = isGrowing(found.Mid, found.End, records[role], length)
		all = append(all, found)
	}
	return all
}

func quarter(series []lag, n int) []lag { return series[n*len(series)/4 : (n+1)*len(series)/4] }

func medianLag(series []lag, role string) int64 {
	if len(series) == 0 {
		return 0
	}
	values := make([]int64, 0, len(series))
	for _, at := range series {
		values = append(values, at.behind[role])
	}
	slices.Sort(values)
	return values[len(values)/2]
}
