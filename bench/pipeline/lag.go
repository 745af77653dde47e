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
	described, err := w.admin.Lag(ctx, names...)
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

// lagSeries samples the lag once a second until stopped.
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
		ticks := time.NewTicker(time.Second)
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

// growth is the part of its records that a role may fall behind by from the middle of a step to its end without its lag
// counting as growing: the event log inserts at intervals, which a median does not even out.
const growth = 0.05

// leastGrowth is how many records it takes besides: at a few events a second one insert more or less is a large part.
const leastGrowth = 100

// behind compares the second quarter of a step with the last. records is how many each role had to read in the step.
func behind(series []lag, records map[string]int64) []Behind {
	var all []Behind
	for _, role := range []string{"processor", "dispatcher", "eventlog"} {
		found := Behind{Role: role, Mid: medianLag(quarter(series, 1), role), End: medianLag(quarter(series, 3), role)}
		found.IsGrowing = float64(found.End-found.Mid) > max(leastGrowth, growth*float64(records[role])/2)
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
