package faults

import (
	"testing"

	"github.com/millrace/millrace/rig/fleet"
)

// TestP09DuplicateStormStartsOneRunForEachID posts a thousand message IDs over and over, beside events of which half are
// repeats.
func TestP09DuplicateStormStartsOneRunForEachID(t *testing.T) {
	length, random := settings(t)
	f := fleet.New(t, clickhouse, fleet.Options{})
	ingest := f.StartAll()
	const ids = 1000
	calm := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 500, Seed: random.Uint64()})
	f.Pause(length / 4)
	before := calm.Stop()
	half := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Duplicates: 0.5, First: 1 << 40, Seed: random.Uint64()})
	same := f.StartLoad(fleet.Senders{To: []string{ingest.URL}, PerSecond: 1000, Messages: ids, First: 1 << 41, Seed: random.Uint64()})
	f.Pause(length)
	repeated, storm := same.Stop(), half.Stop()
	t.Logf("before: %s", before)
	t.Logf("half are repeats: %s", storm)
	t.Logf("%d message IDs: %s", ids, repeated)
	judge(t, f, "%d message IDs %d times; 204 after %s before the storm (p99 %s) and %s in it (p99 %s)",
		ids, repeated.Posted/ids, before.Median, before.P99, storm.Median, storm.P99)
}
