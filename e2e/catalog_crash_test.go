package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/millrace/millrace/rig"
)

// madeSource is a source as the management API shows it, as far as this test needs it.
type madeSource struct {
	Name      string `json:"name"`
	Endpoints map[string]struct {
		URL string `json:"url"`
	} `json:"endpoints"`
}

// TestKillInTheMiddleOfChangesLosesNoneThatWasAnswered kills the process while sources are made, and looks for each that
// was answered after the next start; its endpoint takes events.
func TestKillInTheMiddleOfChangesLosesNoneThatWasAnswered(t *testing.T) {
	p := rig.Start(t)
	made := make(chan madeSource, 10_000)
	go func() {
		defer close(made)
		for i := 0; ; i++ {
			var source madeSource
			if err := p.TryCall(http.MethodPost, "/api/v1/sources", http.StatusCreated, map[string]string{"name": fmt.Sprint("app-", i)}, &source); err != nil {
				return // the kill
			}
			made <- source
		}
	}()
	p.Eventually("some sources are made", func() error {
		if len(made) < 20 {
			return fmt.Errorf("%d sources", len(made))
		}
		return nil
	})
	p.Kill()
	p.Restart()
	for source := range made {
		var found madeSource
		p.Call(http.MethodGet, "/api/v1/sources/"+source.Name, http.StatusOK, nil, &found)
		url := source.Endpoints["production"].URL
		if found.Endpoints["production"].URL != url {
			t.Errorf("%s: its endpoint was %s and is %s", source.Name, url, found.Endpoints["production"].URL)
		}
		answer, err := rig.Request(http.MethodPost, url, []byte(`{"type":"track","event":"A"}`), http.Header{"Content-Type": {"application/json"}})
		if err != nil || answer.Status != http.StatusNoContent {
			t.Errorf("%s: %+v, %v", source.Name, answer, err)
		}
	}
}
