package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/schemas"
)

// dryRunLine is one line of a dry run that tells how far it is. One member is set; the last two end it.
type dryRunLine struct {
	Progress *ReplayProgress `json:"progress,omitempty"`
	Result   *DryRun         `json:"result,omitempty"`
	Error    *problem        `json:"error,omitempty"`
}

// streamDryRun writes a line for how far the dry run is now and then, and one for its end. It logs what has gone wrong
// within Millrace. Of a client that is gone there is nothing to say.
func (a *API) streamDryRun(ending context.Context, w lineWriter, replay schemas.Replay, log func(error)) {
	found, err := a.dryRun(ending, replay, func(now ReplayProgress) error { return w.write(dryRunLine{Progress: &now}) })
	if err == nil {
		_ = w.write(dryRunLine{Result: &found})
		return
	}
	fault := explain(err)
	if w.write(dryRunLine{Error: fault}) == nil && fault.status >= fiber.StatusInternalServerError {
		log(err)
	}
}

// lineWriter writes lines to a client and gives up on one that takes none.
type lineWriter struct {
	to   *bufio.Writer
	conn net.Conn // behind it
}

func (w lineWriter) write(line dryRunLine) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(dryRunPatience)); err != nil {
		return err
	}
	if err := json.NewEncoder(w.to).Encode(line); err != nil {
		return err
	}
	return w.to.Flush()
}
