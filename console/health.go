package console

import (
	"fmt"
	"time"

	"github.com/millrace/millrace/eventlog/query"
)

// health is how a part of Millrace does, as far as its traces in the event log tell.
type health struct {
	Part   string
	State  string // ok, behind, refused, dead or down
	Detail string
	Link   string
}

// healthOf tells it from what the overview has read anyway.
func healthOf(shown overviewPage, refused part[[]query.RejectionItem]) []health {
	all := []health{{Part: "Management API", State: "ok", Detail: "answers"}}
	if failed := shown.Recent.Failed; failed != nil {
		return append(all, health{Part: "Event log", State: "down", Detail: failed.Detail})
	}
	if shown.Loading() || refused.Loading {
		return append(all, health{Part: "Everything else", State: "unknown", Detail: "is being asked"})
	}
	all = append(all, health{Part: "Event log", State: "ok", Detail: "answers"})
	return append(all, ingestHealth(refused), processorHealth(shown.Recent.Value, time.Now()), dispatcherHealth(shown.Latency, shown.Range))
}

func ingestHealth(refused part[[]query.RejectionItem]) health {
	switch n := len(refused.Value); {
	case refused.Failed != nil:
		return health{Part: "Ingest", State: "unknown", Detail: refused.Failed.Detail}
	case n > 0:
		return health{Part: "Ingest", State: "refused", Detail: fmt.Sprintf("%d requests refused, the last with %s", n, refused.Value[0].Code), Link: "/refused"}
	}
	return health{Part: "Ingest", State: "ok", Detail: "refused no request"}
}

// undecidedFor is how long an event may wait for its decision before the overview says that the processor is behind.
const undecidedFor = 10 * time.Second

func processorHealth(recent []query.EventItem, now time.Time) health {
	waiting, oldest := 0, now
	for _, event := range recent {
		if event.Status == "" && event.ReceivedAt.Before(now.Add(-undecidedFor)) {
			waiting++
			oldest = event.ReceivedAt
		}
	}
	if waiting > 0 {
		return health{
			Part: "Processor", State: "behind", Link: "/logs",
			Detail: fmt.Sprintf("%d of the last %d events wait for a decision, one since %s", waiting, len(recent), oldest.UTC().Format("15:04:05 UTC")),
		}
	}
	return health{Part: "Processor", State: "ok", Detail: "has decided on every event"}
}

func dispatcherHealth(latency part[[]query.LatencyItem], over timeRange) health {
	var sum query.LatencyItem
	for _, item := range latency.Value {
		sum.Dead, sum.Retrying, sum.Delivered = sum.Dead+item.Dead, sum.Retrying+item.Retrying, sum.Delivered+item.Delivered
	}
	told := health{Part: "Dispatcher", State: "ok", Detail: fmt.Sprintf("%s runs delivered", number(sum.Delivered))}
	switch {
	case latency.Failed != nil:
		return health{Part: "Dispatcher", State: "unknown", Detail: latency.Failed.Detail}
	case sum.Dead > 0:
		told.State, told.Detail, told.Link = "dead", fmt.Sprintf("%s runs given up", number(sum.Dead)), "/dead-letters?since="+over.Since
	case sum.Retrying > 0:
		told.State, told.Detail, told.Link = "retrying", fmt.Sprintf("%s calls had to be tried again", number(sum.Retrying)), "/runs?status=retrying&since="+over.Since
	}
	return told
}
