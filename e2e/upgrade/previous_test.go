package upgrade

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/rig"
)

// TestReleasesRunSideBySide upgrades from the previous release to this one, and then goes back.
func TestReleasesRunSideBySide(t *testing.T) {
	previous, next := requireBinary(t, "MILLRACE_PREVIOUS_BINARY"), rig.Binary(t)
	i := install(t, previous, order())
	i.RunWith(next, append([]string{"topics", "apply", fmt.Sprintf("--kafka-topics-partitions=%d", i.Kafka.Topics.Partitions)}, i.KafkaFlags()...)...)
	i.RunWith(next, "migrate", i.ClickHouseFlag())
	for number, name := range order() {
		i.replace(name, next)
		i.changeCatalog(number)
	}
	t.Log("every process is of this release; going back")
	back := order()
	slices.Reverse(back)
	for number, name := range back {
		i.replace(name, previous)
		i.changeCatalog(len(back) + number)
	}
	i.settle(next)
	i.requireSilence()
	for _, sign := range []string{"cannot be read on", "stopped reading a partition", "newer version"} {
		if strings.Contains(i.Log(), sign) {
			t.Errorf("a process said %q, though each release reads what the other writes", sign)
		}
	}
}

// changeCatalog makes a source through the API, whichever release that is of: all the others go on with it.
func (i *installation) changeCatalog(number int) {
	i.t.Helper()
	url := i.Process("api").URL + "/api/v1/sources"
	header := http.Header{"Content-Type": {"application/json"}}
	made, err := rig.Request(http.MethodPost, url, fmt.Appendf(nil, `{"name":"source-%d"}`, number), header)
	if err != nil || made.Status != http.StatusCreated {
		i.t.Fatalf("making a source: %v, %d %s", err, made.Status, made.Body)
	}
	listed, err := rig.Request(http.MethodGet, url, nil, nil)
	if got := strings.Count(string(listed.Body), `"name":"source-`); err != nil || got != number+1 {
		i.t.Errorf("%v, %d of %d sources are listed: %s", err, got, number+1, listed.Body)
	}
}
