package query_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

func (s *story) reject(n int, source, code, body string) string {
	s.tb.Helper()
	at := s.start.Add(time.Duration(n) * time.Second)
	id, err := schemas.NewEventID(at)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.insert("rejections (rejection_id, rejected_at, source_id, environment, status_code, code, message, field, body, topic, partition, offset)",
		id.String(), at, source, "production", uint16(http.StatusBadRequest), code, "no", "event", body, "t.rejections", int32(0), int64(n))
	return id.String()
}

func TestRejectionsAreListedNewestFirst(t *testing.T) {
	s := newStory(t)
	var all []string
	for n, code := range []string{"invalid_json", "invalid_event", "invalid_json"} {
		all = append(all, s.reject(n, []string{"src_shop", "", "src_shop"}[n], code, "\xffx"))
	}
	f := func(filter query.RejectionFilter, want ...string) query.RejectionPage {
		t.Helper()
		page, err := s.log.Rejections(t.Context(), filter)
		var got []string
		for _, item := range page.Items {
			got = append(got, item.ID)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: got %v, %v, want %v", filter, got, err, want)
		}
		return page
	}
	page := f(query.RejectionFilter{}, all[2], all[1], all[0])
	item := page.Items[0]
	if item.StatusCode != http.StatusBadRequest || item.Code != "invalid_json" || item.Body != "\uFFFDx" || item.Field != "event" || !item.RejectedAt.Equal(s.start.Add(2*time.Second)) {
		t.Errorf("%+v", item)
	}
	f(query.RejectionFilter{Source: "src_shop"}, all[2], all[0])
	f(query.RejectionFilter{Code: "invalid_event", Environment: "production"}, all[1])
	f(query.RejectionFilter{Since: s.start.Add(time.Second), Until: s.start.Add(2 * time.Second)}, all[1])
	page = f(query.RejectionFilter{Limit: 2}, all[2], all[1])
	f(query.RejectionFilter{Limit: 2, Cursor: page.NextCursor}, all[0])
}
