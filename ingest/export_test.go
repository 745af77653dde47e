package ingest

import "time"

// SetClock replaces the clock, before Serve.
func (i *Ingest) SetClock(now func() time.Time) { i.now = now }
