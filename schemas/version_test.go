package schemas_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace/millrace/schemas"
)

func TestRecordOfANewerVersionIsToldFromGarbage(t *testing.T) {
	f := func(value string, isOther bool) {
		t.Helper()
		_, err := schemas.Decode[schemas.Run]([]byte(value))
		_, errOfRun := schemas.DecodeRun([]byte(value))
		_, _, errOfEntry := schemas.DecodeEntry([]byte(value))
		for _, err := range []error{err, errOfRun, errOfEntry} {
			if err == nil || schemas.IsOtherVersion(err) != isOther {
				t.Errorf("%s: %v", value, err)
			}
			if isOther && !strings.Contains(err.Error(), "upgrade this process first") {
				t.Errorf("%v does not say what to do", err)
			}
		}
	}
	f(`{"schema":2}`, true)
	f(`{"schema":2,"run_id":7,"environment":"not as it was"}`, true)
	f(`{"schema":1000}`, true)
	f(`{"schema":0}`, false)
	f(`{"schema":-1}`, false)
	f(`{"schema":"2"}`, false)
	f(`{"run_id":"r"}`, false)
	f(`{"schema":2`, false)
	f(`[]`, false)
}

// readsBeside expects a record with members that no release knows to be read as without them.
func readsBeside[R schemas.Record](t *testing.T, record R) {
	t.Helper()
	value, err := schemas.Encode(record)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := schemas.Decode[R](value)
	if err != nil {
		t.Fatal(err)
	}
	more, err := schemas.Decode[R]([]byte(`{"from_the_future":{"schema":2,"a":[1]},` + string(value[1:])))
	if err != nil || !reflect.DeepEqual(more, plain) {
		t.Errorf("%T with one member more: %v\n%+v\n%+v", record, err, more, plain)
	}
}

func TestMembersAndHeadersThatAreNotKnownAreIgnored(t *testing.T) {
	run := schemas.Run{Schema: 1, RunID: "r", Workflow: "w", Request: json.RawMessage(`{}`)}
	readsBeside(t, run)
	readsBeside(t, schemas.Decision{Schema: 1, EventID: "e", Triggers: []schemas.TriggerDecision{}})
	readsBeside(t, schemas.Delivery{Schema: 1, RunID: "r"})
	readsBeside(t, schemas.DeadLetter{Schema: 1, Run: run})
	readsBeside(t, schemas.Rejection{Schema: 1, ID: "i"})
	readsBeside(t, schemas.AuditEntry{Schema: 1, ID: "i"})
	readsBeside(t, schemas.CatalogEntry{Schema: 1, Trigger: &schemas.Trigger{ID: "t"}})
	value := schemas.AppendRun(nil, &run)
	value = append(value[:len(value)-1], `,"from_the_future":1}`...)
	if got, err := schemas.DecodeRun(value); err != nil || got.RunID != "r" {
		t.Errorf("%+v, %v", got, err)
	}
	headers, err := schemas.RunHeaders[clientHeader](schemas.RunMeta{Key: "k", Parked: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := schemas.ReadRunMeta(append(headers, clientHeader{"from_the_future", []byte("x")})); err != nil || got.Parked != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	event := append(schemas.EventHeaders[clientHeader](meta()), clientHeader{"from_the_future", []byte("x")}, clientHeader{"schema", []byte("1")})
	if got, err := schemas.ReadEventMeta(event); err != nil || got != meta() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEventOfANewerVersionIsNoGarbage(t *testing.T) {
	f := func(version string, isOther bool) {
		t.Helper()
		// It need not have the headers of today.
		for _, headers := range [][]clientHeader{schemas.EventHeaders[clientHeader](meta()), {{"received_at", []byte("noon")}}} {
			headers = append(headers, clientHeader{"schema", []byte(version)})
			_, err := schemas.ReadEventMeta(headers)
			if schemas.IsOtherVersion(err) != isOther || errors.Is(err, schemas.ErrNotAnEvent) == isOther {
				t.Errorf("%s: %v", version, err)
			}
		}
	}
	f("2", true)
	f("0", false)
	f("x", false)
	f("", false)
}

func TestEntryThatIsNotKnownAsAWholeIsRead(t *testing.T) {
	f := func(value string, want bool) {
		t.Helper()
		entry, isWhole, err := schemas.DecodeEntry([]byte(value))
		if err != nil || entry.Trigger.ID != "t" || isWhole != want {
			t.Errorf("%s: whole is %v, %v", value, isWhole, err)
		}
	}
	f(`{"schema":1,"trigger":{"id":"t"}}`, true)
	f(`{"schema":1,"trigger":{"id":"t","sampling":0.1}}`, false)
	f(`{"schema":1,"trigger":{"id":"t"},"note":"x"}`, false)
	if _, _, err := schemas.DecodeEntry([]byte(`{"schema":1,"trigger":{"id":"t"}}}`)); err == nil {
		t.Error("garbage behind a record was read")
	}
}
