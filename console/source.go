package console

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/eventlog/query"
	"github.com/millrace/millrace/schemas"
)

// sourcePage is a source with its endpoints.
type sourcePage struct {
	Source    api.Source
	Chart     part[chart]
	Endpoints []endpointView // by environment
	Missing   []string       // environments in which it has none
	Form      form           // of the source
}

// endpointView is an endpoint in one environment.
type endpointView struct {
	api.Endpoint
	Environment string
	IsShown     bool // its URL is
	Curl        string
	Form        form // of its settings
	Rotation    form
}

// Prefix is what the names of its inputs begin with.
func (e endpointView) Prefix() string { return "endpoints." + e.Environment + "." }

// Schemes are the ways to sign that the form offers.
func (e endpointView) Schemes() []option {
	return []option{
		{"", "none"},
		{string(schemas.StandardWebhooks), "Standard Webhooks"},
		{string(schemas.SegmentSignature), "Segment (x-signature)"},
	}
}

// Graces are how long the old key may stay good.
func (e endpointView) Graces() []option {
	return []option{{"24h", "for another day"}, {"1h", "for another hour"}, {"168h", "for another week"}, {"0s", "not at all, it ends now"}}
}

// option is a choice of a form.
type option struct{ Value, Name string }

func (w *Console) showSource(c *fiber.Ctx) error {
	shown, err := w.readSource(c)
	if err != nil {
		return err
	}
	return w.showSourceAs(c, fiber.StatusOK, shown)
}

func (w *Console) showSourceAs(c *fiber.Ctx, status int, shown sourcePage) error {
	return w.show(c, status, page{Name: "source", Title: shown.Source.Name, Section: "/sources", Notice: notice(c), Loading: shown.Chart.Loading, Content: shown})
}

// readSource reads what the page of a source shows, its forms filled with what is.
func (w *Console) readSource(c *fiber.Ctx) (sourcePage, error) {
	var shown sourcePage
	var environments []schemas.Environment
	client, id := visitorOf(c).client, unescaped(c, "id")
	limited, cancel := inTime(c)
	defer cancel()
	group, ctx := errgroup.WithContext(c.UserContext())
	group.Go(func() (err error) {
		shown.Source, err = client.Source(ctx, id)
		return err
	})
	group.Go(func() (err error) {
		environments, err = listOf[schemas.Environment](ctx, client, "/environments", nil)
		return err
	})
	group.Go(func() error {
		drawn, err := eventChart(limited, client, query.Hour, url.Values{"source": {id}, "since": {"24h"}})
		return shown.Chart.ask(limited, drawn, err)
	})
	if err := group.Wait(); err != nil {
		return shown, err
	}
	shown.Form.Values = url.Values{"name": {shown.Source.Name}, "description": {shown.Source.Description}, "disabled": {onOff(shown.Source.Disabled)}}
	for _, environment := range sortedKeys(shown.Source.Endpoints) {
		endpoint := shown.Source.Endpoints[environment]
		view := endpointView{Endpoint: endpoint, Environment: environment, IsShown: isShown(endpoint), Curl: curlFor(endpoint)}
		view.Form.Values = view.values()
		shown.Endpoints = append(shown.Endpoints, view)
	}
	for _, environment := range environments {
		if _, exists := shown.Source.Endpoints[environment.Name]; !exists {
			shown.Missing = append(shown.Missing, environment.Name)
		}
	}
	slices.Sort(shown.Missing)
	return shown, nil
}

// values are the settings as the inputs of the form hold them.
func (e endpointView) values() url.Values {
	scheme, secret := schemas.SignatureScheme(""), ""
	if e.Signature != nil {
		scheme, secret = e.Signature.Scheme, e.Signature.SecretRef
	}
	limit := ""
	if e.MaxBytes > 0 {
		limit = number(e.MaxBytes)
	}
	return url.Values{
		e.Prefix() + "dedup_window":     {windowText(e.DedupWindow)},
		e.Prefix() + "max_bytes":        {strings.ReplaceAll(limit, ",", "")},
		e.Prefix() + "disabled":         {onOff(e.Disabled)},
		e.Prefix() + "signature.scheme": {string(scheme)},
		e.Prefix() + "signature.secret": {secret},
	}
}

// windowText writes a dedup window without the zeros that Go adds.
func windowText(window schemas.Window) string {
	if window == 0 {
		return "off"
	}
	text := time.Duration(window).String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return ""
}

// unescaped is a part of the path as it was before it was put into one.
func unescaped(c *fiber.Ctx, name string) string {
	text, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return c.Params(name)
	}
	return text
}

// Window writes a dedup window.
func (sourcePage) Window(window schemas.Window) string { return windowText(window) }
