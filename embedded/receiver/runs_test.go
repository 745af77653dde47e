package receiver

import (
	"fmt"
	"strings"
	"testing"
)

func TestOldestRunsAreForgottenAtEitherBound(t *testing.T) {
	f := func(maxRuns, maxBytes, bodyBytes, wantKept int) {
		t.Helper()
		kept := newRuns(maxRuns, maxBytes)
		for i := range 20 {
			if _, isNew, err := kept.add(Received{Key: fmt.Sprint(i), Body: []byte(strings.Repeat("x", bodyBytes))}); !isNew || err != nil {
				t.Fatal(isNew, err)
			}
		}
		listed := kept.newest(100)
		if len(listed) != wantKept || len(kept.byKey) != wantKept || kept.bytes != wantKept*bodyBytes || listed[0].Key != "19" {
			t.Errorf("%d runs, %d bytes: kept %d runs, %d keys, %d bytes", maxRuns, maxBytes, len(listed), len(kept.byKey), kept.bytes)
		}
		if total := kept.count(); total.Runs != 20 || total.Kept != wantKept {
			t.Errorf("count is %+v", total)
		}
	}
	f(7, 1000, 10, 7)
	f(100, 50, 10, 5)
	f(100, 50, 60, 1)
}
