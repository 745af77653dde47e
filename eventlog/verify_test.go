package eventlog_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/eventlog"
	"github.com/millrace/millrace/schemas"
)

// verified returns the sums over the partitions of a topic.
func (r *rig) verified(topic string) eventlog.Verified {
	r.tb.Helper()
	sum := eventlog.Verified{Topic: topic, FirstMissing: -1}
	err := eventlog.Verify(r.tb.Context(), r.kafka, r.config, r.conn, []string{topic}, eventlog.Progress{
		Compared: func(int64) {},
		Done: func(v eventlog.Verified) {
			sum.Records += v.Records
			sum.Rows += v.Rows
			sum.Collapsed += v.Collapsed
			sum.Quarantined += v.Quarantined
			sum.Expired += v.Expired
			sum.Missing += v.Missing
			sum.Twice += v.Twice
			sum.Unknown += v.Unknown
			sum.Waiting += v.Waiting
			sum.FirstMissing = max(sum.FirstMissing, v.FirstMissing)
		},
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	return sum
}

// verifies expects what is verified of a topic.
func (r *rig) verifies(want eventlog.Verified) {
	r.tb.Helper()
	if got := r.verified(want.Topic); got != want {
		r.tb.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// transaction produces records in one transaction.
func (r *rig) transaction(end kgo.TransactionEndTry, records ...*kgo.Record) {
	r.tb.Helper()
	client, err := kgo.NewClient(append(r.kafka.Options(), kgo.TransactionalID(r.kafka.TopicPrefix+"verify"))...)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		r.tb.Fatal(err)
	}
	produce(r.tb, client, records...)
	if err := client.EndTransaction(r.tb.Context(), end); err != nil {
		r.tb.Fatal(err)
	}
}

func TestVerifyAccountsForEveryRecord(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	_, meta := r.event(`{"type":"track","event":"A"}`)
	var runs []*kgo.Record
	for i := range 50 {
		run, _ := r.run(meta, string(rune('a'+i)), `{"recipients":["u"]}`)
		runs = append(runs, run)
	}
	again, _ := r.run(meta, "a", `{"recipients":["u"]}`)
	aborted, _ := r.run(meta, "never", `{"recipients":["u"]}`)
	r.transaction(kgo.TryCommit, runs...)
	r.transaction(kgo.TryAbort, aborted)
	r.transaction(kgo.TryCommit, again)
	produce(t, r.client, &kgo.Record{Topic: r.kafka.Topic(schemas.RunsTopic), Value: []byte("{")})
	r.start()
	r.reaches(len(runs), "SELECT uniqExact(run_id) FROM runs")
	r.reaches(1, "SELECT count() FROM quarantine")
	eventually(t, func() error { return r.allCommitted(schemas.RunsTopic, len(runs)+2) })
	got := r.verified(schemas.RunsTopic)
	if got.Records != 52 || got.Rows+got.Collapsed != 51 || got.Collapsed != 1 || got.Quarantined != 1 || !got.IsExact() {
		t.Errorf("%+v", got)
	}
}

func TestVerifyFindsWhatIsMissingAndWhatCountsTwice(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	_, meta := r.event(`{"type":"track","event":"A"}`)
	_, run := r.run(meta, "trg_1", `{"recipients":["u"]}`)
	var deliveries []*kgo.Record
	for i := range 300 { // all of one run, and so in one partition
		deliveries = append(deliveries, r.delivery(run, i+1, schemas.Retrying))
	}
	produce(t, r.client, deliveries...)
	stop := r.start()
	r.reaches(len(deliveries), "SELECT count() FROM deliveries")
	stop()
	r.verifies(eventlog.Verified{Topic: schemas.DeliveriesTopic, Records: 300, Rows: 300, FirstMissing: -1})
	r.exec("DELETE FROM deliveries WHERE offset = 17 SETTINGS lightweight_deletes_sync = 2")
	r.verifies(eventlog.Verified{Topic: schemas.DeliveriesTopic, Records: 300, Rows: 299, Missing: 1, FirstMissing: 17})
	r.exec("INSERT INTO deliveries SELECT * REPLACE (attempted_at + 1 AS attempted_at) FROM deliveries WHERE attempt = 24")
	r.exec("INSERT INTO deliveries SELECT * REPLACE (toInt64(17) AS offset) FROM deliveries WHERE attempt = 19")
	r.verifies(eventlog.Verified{Topic: schemas.DeliveriesTopic, Records: 300, Rows: 300, Twice: 1, FirstMissing: -1})
}

func TestVerifyKnowsWhatATableNoLongerKeeps(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	var old []*kgo.Record
	for range 100 {
		rejection := schemas.Rejection{
			Schema: schemas.Version, ID: "01890a5d-ac96-774b-bcce-b302099a8057", RejectedAt: time.Now().AddDate(0, 0, -40), StatusCode: 400, Code: "invalid_json",
		}
		old = append(old, record(&r.maker, schemas.RejectionsTopic, "", rejection))
	}
	produce(t, r.client, old...)
	stop := r.start()
	eventually(t, func() error { return r.allCommitted(schemas.RejectionsTopic, len(old)) })
	stop()
	eventually(t, func() error {
		r.exec("OPTIMIZE TABLE rejections FINAL")
		return r.isEmpty("rejections")
	})
	r.verifies(eventlog.Verified{Topic: schemas.RejectionsTopic, Records: 100, Expired: 100, FirstMissing: -1})
}

func TestVerifyLeavesOutWhatIsNotWrittenYet(t *testing.T) {
	r := newRig(t, sharedEngine(t))
	produce(t, r.client, r.many(30)...)
	r.verifies(eventlog.Verified{Topic: schemas.EventsTopic, Waiting: 30, FirstMissing: -1})
	if err := eventlog.Verify(t.Context(), r.kafka, r.config, r.conn, []string{"nothing"}, eventlog.Progress{}); err == nil {
		t.Error("a topic that there is not was verified")
	}
}
