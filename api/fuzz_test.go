package api_test

import (
	"testing"

	"github.com/millrace/millrace/api"
)

// FuzzBody looks for bodies in which nothing is found at fault and which cannot be read all the same: their refusal
// would name no field.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"name":"a","description":null}`, `{"workflow_api":{"concurrency":1e3,"rate_limit":0.5}}`, `{"workflow_api":{"concurrency":1e300}}`,
		`{"endpoints":{"production":{"dedup_window":"off","max_bytes":-0,"signature":null}}}`, `{"endpoints":{"":{"signature":{"scheme":"segment","secret":"env:A"}}}}`,
		`{"event":"*","mapping":{"recipients":["a"],"data":{"x":{"expr":"1"}}},"status":"active"}`, `{"mapping":{"data":[]}}`, `{"Name":"a"}`, `{"name":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := api.ReadBody(body); err != nil {
			t.Errorf("%s: nothing was found at fault, and %v", body, err)
		}
	})
}
