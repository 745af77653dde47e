package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/rig"
)

func TestEventNamesAndTheirPropertiesCanBePicked(t *testing.T) {
	s := newShop(t)
	s.post(`{"type":"track","event":"A/B & C","userId":"u-1","properties":{"total":10,"items":[{"sku":"A"}]},"context":{"page":{"url":"/x"}}}`)
	s.post(`{"type":"track","event":"Signed Up","anonymousId":"a-1"}`)
	s.post(`{"type":"track","event":"A/B & C","userId":"u-2","properties":{"total":"12"}}`)
	type name struct {
		Event     string
		SourceID  string `json:"source_id"`
		Count     int
		FirstSeen time.Time `json:"first_seen"`
		LastSeen  time.Time `json:"last_seen"`
	}
	names, err := rig.All[name](s.Pipeline, "/api/v1/event-names", url.Values{"source": {"shop"}, "environment": {"production"}, "since": {"1h"}})
	if err != nil || len(names) != 2 || names[0].Event != "A/B & C" || names[0].Count != 2 || names[1].Event != "Signed Up" || names[1].Count != 1 ||
		!names[0].FirstSeen.Before(names[0].LastSeen) || names[0].SourceID != s.sourceID {
		t.Errorf("got %+v, %v", names, err)
	}
	var list struct {
		Events int
		Items  []struct {
			Path    string
			Types   map[string]int
			Events  int
			Example json.RawMessage
		}
	}
	s.Call(http.MethodGet, "/api/v1/event-names/"+url.PathEscape("A/B & C")+"/properties?source=shop&environment=production", http.StatusOK, nil, &list)
	var got []string
	for _, p := range list.Items {
		got = append(got, fmt.Sprintf("%s %v %d %s", p.Path, p.Types, p.Events, p.Example))
	}
	want := []string{
		`data map[object:2] 2 `, `data.items map[array:1] 1 `, `data.items.0 map[object:1] 1 `, `data.items.0.sku map[string:1] 1 "A"`,
		`data.total map[number:1 string:1] 2 "12"`, `user_id map[string:2] 2 "u-2"`, `context map[object:1] 1 `, `context.page map[object:1] 1 `,
		`context.page.url map[string:1] 1 "/x"`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || list.Events != 2 {
		t.Errorf("of %d events:\n%s\nwant\n%s", list.Events, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s.Call(http.MethodGet, "/api/v1/event-names/*/properties?source=shop&last=1", http.StatusOK, nil, &list)
	if list.Events != 1 {
		t.Errorf("the latest of any name: %+v", list)
	}
	s.refused(http.MethodGet, "/api/v1/event-names?since=yesterday", nil, 400, "invalid_filter", "since")
	s.refused(http.MethodGet, "/api/v1/event-names?cursor=x", nil, 400, "invalid_filter", "cursor")
	s.refused(http.MethodGet, "/api/v1/event-names?source=nobody", nil, 404, "not_found", "")
	s.refused(http.MethodGet, "/api/v1/event-names/A/properties?last=101", nil, 400, "invalid_filter", "last")
}
