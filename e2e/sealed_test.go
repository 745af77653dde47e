package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// TestEndpointsWhoseKeysAreSealedAreShownAndTakeEvents starts without a catalog key, and then twice with one.
func TestEndpointsWhoseKeysAreSealedAreShownAndTakeEvents(t *testing.T) {
	t.Setenv("MILLRACE_CATALOG_KEY", "")
	p := rig.Start(t)
	url := func() string {
		var source madeSource
		p.Call(http.MethodGet, "/api/v1/sources/demo", http.StatusOK, nil, &source)
		return source.Endpoints["production"].URL
	}
	before := url()
	t.Setenv("SEAL", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	t.Setenv("MILLRACE_CATALOG_KEY", "env:SEAL")
	for range 2 {
		p.Kill()
		p.Restart()
		if got := url(); got != before {
			t.Errorf("the endpoint was %s and is %s", before, got)
		}
		answer, err := rig.Request(http.MethodPost, before, []byte(`{"type":"track","event":"A"}`), http.Header{"Content-Type": {"application/json"}})
		if err != nil || answer.Status != http.StatusNoContent {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	if log := p.Log(); !strings.Contains(log, before) {
		t.Error("the banner does not show the endpoint")
	}
}
