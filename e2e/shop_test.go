package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/millrace/millrace/rig"
)

// object is a JSON object that a test sends or looks into.
type object = map[string]any

// shop is a source whose events a test posts one by one, so that it knows which is the latest.
type shop struct {
	*rig.Pipeline
	t        *testing.T
	sourceID string
	endpoint string
	posted   int
}

func newShop(t *testing.T, flags ...string) *shop {
	t.Helper()
	s := &shop{Pipeline: rig.Start(t, flags...), t: t}
	var source struct {
		ID        string
		Endpoints map[string]struct{ URL string }
	}
	s.Call(http.MethodPost, "/api/v1/sources", http.StatusCreated, object{"name": "shop"}, &source)
	s.sourceID, s.endpoint = source.ID, source.Endpoints["production"].URL
	return s
}

// post sends an event and waits until it is in the log.
func (s *shop) post(body string) (id string) {
	s.t.Helper()
	answer, err := rig.Request(http.MethodPost, s.endpoint, []byte(body), nil)
	if err != nil || answer.Status != http.StatusNoContent {
		s.t.Fatalf("%s: %v %d %s", body, err, answer.Status, answer.Body)
	}
	s.posted++
	s.Eventually("the event is in the log", func() error {
		items, err := rig.All[eventItem](s.Pipeline, "/api/v1/events", url.Values{"source": {"shop"}})
		if err != nil || len(items) < s.posted {
			return fmt.Errorf("%d of %d events: %w", len(items), s.posted, err)
		}
		id = items[0].ID
		return nil
	})
	return id
}

// refused expects an error answer about a field.
func (s *shop) refused(method, path string, in any, status int, code, field string) {
	s.t.Helper()
	var out struct {
		Error struct{ Code, Field, Message string }
	}
	s.Call(method, path, status, in, &out)
	if out.Error.Code != code || out.Error.Field != field || out.Error.Message == "" {
		s.t.Errorf("%s %s %v: got %+v, want %s about %q", method, path, in, out.Error, code, field)
	}
}

func (s *shop) create(trigger object) string {
	s.t.Helper()
	trigger["environment"], trigger["source_id"] = "production", s.sourceID
	var made struct{ ID string }
	s.Call(http.MethodPost, "/api/v1/triggers", http.StatusCreated, trigger, &made)
	return made.ID
}
