package console

import (
	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
)

// tokensPage says who may do what. Tokens are settings of the API: here they are shown only.
type tokensPage struct {
	Tokens part[[]api.Token] // for who may see all
	Open   bool              // no token is set
	Scopes []scopeHelp
}

// scopeHelp is what a scope adds to those before it.
type scopeHelp struct {
	Name string
	May  []string
}

// scopes are those that there are, as the routes of the API need them.
func scopes() []scopeHelp {
	return []scopeHelp{
		{"read", []string{
			"see sources, triggers, events, runs, dead letters, replays and counts; URLs of endpoints and secret references are masked",
			"preview a trigger, and dry-run a replay",
		}},
		{"write", []string{
			"see URLs of endpoints and secret references",
			"create, change and delete sources and triggers, and rotate endpoint keys",
			"send dead letters again; start, pause, resume and cancel replays",
			"read the audit log, export and apply the catalog, and ask the event log in SQL",
		}},
		{"admin", []string{
			"create, change, rename and delete environments, with their workflow APIs",
			"list the tokens",
		}},
	}
}

func (w *Console) showTokens(c *fiber.Ctx) error {
	who := visitorOf(c)
	shown := tokensPage{Open: who.Name == api.LoopbackActor, Scopes: scopes()}
	if who.MayAdmin() && !shown.Open {
		found, err := who.client.Tokens(c.UserContext())
		if err := shown.Tokens.ask(c.UserContext(), found, err); err != nil {
			return err
		}
	}
	return w.show(c, fiber.StatusOK, page{Name: "tokens", Title: "Tokens", Section: "/settings", Tab: "/settings/tokens", Content: shown})
}

// Example is how tokens are set.
func (tokensPage) Example() string {
	return "export OPS_TOKEN=$(openssl rand -hex 32)\n" +
		"millrace api --api-tokens=ops:admin:env:OPS_TOKEN --api-tokens=grafana:read:file:/run/secrets/grafana"
}
