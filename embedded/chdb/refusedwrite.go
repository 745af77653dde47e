package chdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The library takes no note of a write that the system refuses, as it does on a full disk: it goes on as if the bytes were
// in the file, acknowledges the insert or drops the parts that it has merged, and only counts. A start sees which parts are
// not whole, puts them aside and takes back those they were merged from, as after a crash. So a child that has such a write
// acknowledges nothing more and ends.

// watchEvery is how soon a refused write in the background is noticed. It must be far shorter than the eight minutes for
// which the engine keeps the parts of a merge.
const watchEvery = time.Second

const refusedWrites = "SELECT sum(value) FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed' FORMAT TSVRaw"

// errRefusedWrite is RunChild's answer when the engine's files are not what it believes.
var errRefusedWrite = errors.New("the system refused a write of the embedded ClickHouse, as it does on a full disk; what it wrote last is checked at the next start")

// checkWrites must be called before a statement that may have written is acknowledged.
func (e *engine) checkWrites() error {
	text, err := e.ask(refusedWrites)
	if err != nil {
		return fmt.Errorf("asking the engine for refused writes: %w", err)
	}
	refused, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return fmt.Errorf("reading the number of refused writes: %w", err)
	}
	if refused == 0 {
		return nil
	}
	e.condemn.Do(func() { close(e.condemned) })
	return newException(codeCannotWrite, "The system refused a write; the engine starts again", "CANNOT_WRITE_TO_FILE_DESCRIPTOR")
}

// watchWrites finds what no statement waits for, such as merges, until ctx ends.
func (e *engine) watchWrites(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			// What cannot be asked now can be a moment later; who waits for an answer asks too.
			_ = e.checkWrites()
		case <-ctx.Done():
			return
		}
	}
}
