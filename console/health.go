package console

import (
	"fmt"
	"time"

	"github.com/millrace/millrace/eventlog/query"
)

// health is how a part of Millrace does, as far as its traces in the event log tell.
type health struct {
	Part   string
	State  string // ok, behind, refused, retrying, failing, down or unknown
	Detail string
	Link   string
	Latest time.Time // when the latest event came; zero where that does not matter
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
	return append(all, ingestHealth(shown, refused), processorHealth(shown.Lag), dispatcherHealth(shown.Latency, shown.Range.Since))
}

func ingestHealth(shown overviewPage, refused part[[]query.RejectionItem]) health {
	switch n := len(refused.Value); {
	case refused.Failed != nil:
		return health{Part: "Ingest", State: "unknown", Detail: refused.Failed.Detail}
	case n >= maxRefused:
		return health{Part: "Ingest", State: "refused", Detail: fmt.Sprintf("%d requests refused or more, the last with %s", n, refused.Value[0].Code), Link: refusedSince(shown), Latest: shown.latest()}
	case n > 0:
		return health{Part: "Ingest", State: "refused", Detail: fmt.Sprintf("%d requests refused, the last with %s", n, refused.Value[0].Code), Link: refusedSince(shown), Latest: shown.latest()}
	}
	return health{Part: "Ingest", State: "ok", Detail: "refused no request", Latest: shown.latest()}
}

func refusedSince(shown overviewPage) string { return "/refused?since=" + shown.Range.Since }

func processorHealth(lag lag) health {
	switch {
	case lag.Waiting > 0:
		return health{
			Part: "Processor", State: "behind", Link: "/logs",
			Detail: fmt.Sprintf("%d of the last %d events wait for a decision, one since %s", lag.Waiting, lag.Events, lag.Since.UTC().Format("15:04:05 UTC")),
		}
	case lag.Events == 0:
		return health{Part: "Processor", State: "unknown", Detail: "has had no event to decide on"}
	}
	return health{Part: "Processor", State: "ok", Detail: fmt.Sprintf("has decided on all of the latest %d events", lag.Events)}
}

func dispatcherHealth(latency part[[]query.LatencyItem], since string) health {
	var sum query.LatencyItem
	for _, item := range latency.Value {
		sum.Dead, sum.Retrying, sum.Delivered = sum.Dead+item.Dead, sum.Retrying+item.Retrying, sum.Delivered+item.Delivered
	}
	told := health{Part: "Dispatcher", State: "ok", Detail: fmt.Sprintf("%s runs delivered", number(sum.Delivered))}
	switch {
	case latency.Failed != nil:
		return health{Part: "Dispatcher", State: "unknown", Detail: latency.Failed.Detail}
	case sum.Dead > 0:
		told.State, told.Link, told.Detail = "failing", "/dead-letters?since="+since, fmt.Sprintf("%s runs given up", number(sum.Dead))
	case sum.Retrying > 0:
		told.State, told.Link, told.Detail = "retrying", "/runs?status=retrying&since="+since, fmt.Sprintf("%s calls had to be tried again", number(sum.Retrying))
	}
	return told
}
