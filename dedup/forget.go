package dedup

import "github.com/millrace/millrace/schemas"

// expiry says when to look whether a key can be forgotten. Each key that is held has exactly one.
type expiry struct {
	key schemas.Key
	at  int64
}

// forget drops the keys whose last occurrence left the retention by the stream's clock. The queue is sorted but for the
// skew between ingest processes and for keys that came again; one with a late time keeps those behind it a little
// longer, which changes no answer.
func (x *Index) forget() {
	horizon := x.latest.Add(-x.retention).UnixMilli()
	for len(x.queue) > 0 && x.queue[0].at < horizon {
		key := x.queue[0].key
		x.queue = x.queue[1:]
		if last := latestOf(x.seen[key]); last.at >= horizon {
			x.queue = append(x.queue, expiry{key, last.at})
			continue
		}
		delete(x.seen, key)
	}
}

// latestOf returns the occurrence with the latest time; of equal ones that with the greatest offset.
func latestOf(occurrences []occurrence) occurrence {
	latest := occurrences[0]
	for _, o := range occurrences[1:] {
		if o.at >= latest.at {
			latest = o
		}
	}
	return latest
}
