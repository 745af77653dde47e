package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/millrace/millrace/rig"
)

func TestEventsAreFoundFollowedAndCounted(t *testing.T) {
	s := newShop(t, "--api-sql-enabled")
	var following struct {
		Items      []eventItem
		NextCursor string `json:"next_cursor"`
	}
	s.Call(http.MethodGet, "/api/v1/events?source=shop&after=0s", http.StatusOK, nil, &following)
	s.create(object{"event": "Order Completed", "workflow": "receipt", "condition": "data.total > 100"})
	small := s.post(`{"type":"track","event":"Order Completed","userId":"u-1","messageId":"m-1","properties":{"total":10,"currency":"EUR","note":"a violet stone"}}`)
	large := s.post(`{"type":"track","event":"Order Completed","userId":"u-2","messageId":"m-2","properties":{"total":200.5,"currency":"USD"}}`)
	s.post(`{"type":"track","event":"Order Completed","userId":"u-2","messageId":"m-2","properties":{"total":200.5,"currency":"USD"}}`)
	found := func(filter url.Values, want ...string) {
		t.Helper()
		filter.Set("source", "shop")
		items, err := rig.All[eventItem](s.Pipeline, "/api/v1/events", filter)
		if err != nil || len(items) != len(want) {
			t.Fatalf("%v: %+v, %v, want %v", filter, items, err, want)
		}
		for i, item := range items {
			if item.ID != want[i] {
				t.Errorf("%v: %+v, want %v", filter, items, want)
			}
		}
	}
	found(url.Values{"where": {"properties.total<100", "properties.currency=EUR"}}, small)
	found(url.Values{"q": {"Violet"}, "since": {"1h"}}, small)
	found(url.Values{"id": {small, large}}, large, small)
	s.Call(http.MethodGet, "/api/v1/events?source=shop&after="+following.NextCursor, http.StatusOK, nil, &following)
	if len(following.Items) != 3 || following.Items[0].ID != small || following.NextCursor == "" {
		t.Errorf("following: %+v", following)
	}
	s.Eventually("the run is delivered and counted", func() error { return s.counted(large) })
	s.asked()
	s.refused(http.MethodGet, "/api/v1/events?where="+url.QueryEscape("total>1"), nil, 400, "invalid_filter", "where")
	s.refused(http.MethodGet, "/api/v1/events?after=yesterday", nil, 400, "invalid_filter", "after")
	s.refused(http.MethodGet, "/api/v1/events?after=0s&cursor=x", nil, 400, "invalid_filter", "cursor")
	s.refused(http.MethodGet, "/api/v1/analytics/series?interval=week", nil, 400, "invalid_filter", "interval")
	s.refused(http.MethodGet, "/api/v1/analytics/top?limit=0", nil, 400, "invalid_filter", "limit")
	s.refused(http.MethodGet, "/api/v1/analytics/latency?intervall=day", nil, 400, "invalid_filter", "intervall")
}

// counted tells what is missing yet of what follows from the three events.
func (s *shop) counted(delivered string) error {
	var top struct{ Items []struct{ Value string } }
	s.Call(http.MethodGet, "/api/v1/analytics/top?source=shop&by=properties.currency", http.StatusOK, nil, &top)
	var series struct{ Series []struct{ Total int } }
	s.Call(http.MethodGet, "/api/v1/analytics/series?source=shop&by=status&interval=minute&since=1h", http.StatusOK, nil, &series)
	var dedup struct {
		Items    []struct{ Events, Duplicates, Matched int }
		Triggers []struct{ Considered, Matched int }
	}
	s.Call(http.MethodGet, "/api/v1/analytics/dedup?source=shop", http.StatusOK, nil, &dedup)
	var latency struct{ Items []struct{ Delivered int } }
	s.Call(http.MethodGet, "/api/v1/analytics/latency?workflow=receipt", http.StatusOK, nil, &latency)
	var detail struct{ Timeline []struct{ Step string } }
	s.Call(http.MethodGet, "/api/v1/events/"+delivered, http.StatusOK, nil, &detail)
	got := fmt.Sprint(top, series, dedup, latency, len(detail.Timeline))
	if want := "{[{USD} {EUR}]} {[{2} {1}]} {[{3 1 1}] [{2 1}]} {[{1}]} 5"; got != want {
		return fmt.Errorf("got %s, want %s", got, want)
	}
	return nil
}

// asked asks in SQL.
func (s *shop) asked() {
	var table struct{ Rows [][]any }
	s.Call(http.MethodPost, "/api/v1/sql", http.StatusOK, object{
		"query":      "SELECT count(), max(properties.total.:Float64) FROM events FINAL WHERE source_id = {source:String}",
		"parameters": object{"source": s.sourceID},
	}, &table)
	if got := fmt.Sprint(table.Rows); got != "[[3 200.5]]" {
		s.t.Errorf("in SQL: %s", got)
	}
	s.refused(http.MethodPost, "/api/v1/sql", object{"query": "DROP TABLE events"}, 422, "invalid_sql", "query")
	s.refused(http.MethodPost, "/api/v1/sql", object{"query": "SELECT * FROM file('/etc/passwd')"}, 422, "invalid_sql", "query")
	s.refused(http.MethodPost, "/api/v1/sql", object{"query": " "}, 422, "invalid", "query")
	s.refused(http.MethodPost, "/api/v1/sql", object{"query": "SELECT sleepEachRow(1) FROM numbers(1000)", "max": 1}, 422, "invalid", "max")
}
