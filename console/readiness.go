package console

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/telemetry"
)

// Readiness says whether pages would be shown now: the management API answers, be it that it wants a token. Any goroutine
// may call it.
func (w *Console) Readiness(ctx context.Context) telemetry.Readiness {
	_, err := api.NewClient(w.config.APIURL, "").Me(ctx)
	if err != nil && !refusedWith(err, fiber.StatusUnauthorized) {
		return telemetry.WaitingFor(fmt.Sprintf("the management API: %v", err))
	}
	return telemetry.WaitingFor()
}
