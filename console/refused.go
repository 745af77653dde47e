package console

import (
	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
)

// refusedPage lists requests that ingest has refused.
type refusedPage struct{ list[query.RejectionItem] }

// Codes are why requests are refused.
func (p refusedPage) Codes() []option {
	codes := []string{"invalid_json", "invalid_signature", "unknown_endpoint", "event_too_large", "invalid_event", "batch_not_supported", "unsupported_type"}
	options := make([]option, len(codes))
	for i, code := range codes {
		options[i] = option{code, words(code)}
	}
	return options
}

func (w *Console) listRefused(c *fiber.Ctx) error {
	inputs := []string{"source", "environment", "code", "since", "until"}
	found, err := find(c, listing[query.RejectionItem]{"/refused", inputs, nil, (*api.Client).Rejections})
	if err != nil {
		return err
	}
	return w.show(c, found.Status, page{
		Name: "refused", Title: "Refused requests", Section: "/logs", Tab: "/refused", Loading: found.Items.Loading, Content: refusedPage{found},
	})
}
