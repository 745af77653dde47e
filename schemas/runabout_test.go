package schemas_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/millrace/millrace/schemas"
)

func TestWhatARunIsAboutIsRead(t *testing.T) {
	f := func(request string, want schemas.RunAbout) {
		t.Helper()
		got, err := schemas.Run{Request: json.RawMessage(request)}.About()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", request, got, err, want)
		}
	}
	f(`{"recipients":["a\u00e4",{"id":"b","email":"b@example.com"},{"collection":"c"},7],"tenant":"t","cancellation_key":"k"}`,
		schemas.RunAbout{RecipientIDs: []string{"aä", "b", "", ""}, TenantID: "t", CancellationKey: "k"})
	f(`{"recipients":[],"tenant":{"id":"t"},"data":{"tenant":"x","recipients":["y"]}}`, schemas.RunAbout{TenantID: "t"})
	f(`{"recipients":"a","tenant":null,"cancellation_key":5}`, schemas.RunAbout{})
	f(`[]`, schemas.RunAbout{})
	if about, err := (schemas.Run{Request: json.RawMessage(`{"recipients":`)}).About(); err == nil {
		t.Errorf("read %+v from half a request", about)
	}
}
