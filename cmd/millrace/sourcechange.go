package main

import (
	"errors"
	"net/http"

	"github.com/millrace/millrace/api"
)

type sourceUpdate struct {
	Name        string         `arg:"" help:"The source's name or ID."`
	Rename      *string        `help:"Its new name." env:"-" placeholder:"NAME"`
	Description *string        `help:"For people." env:"-"`
	Disable     bool           `help:"Refuse events: of the source, or with --environment of one endpoint." env:"-" xor:"state"`
	Enable      bool           `help:"Take events again." env:"-" xor:"state"`
	Environment string         `help:"Whose endpoint the following are about." short:"e" env:"-" placeholder:"NAME"`
	DedupWindow *string        `help:"How long a message ID is remembered: 1m to 168h, or off." env:"-" placeholder:"WINDOW"`
	MaxBytes    *int           `help:"The largest event; 0 for ingest's setting." env:"-" placeholder:"N"`
	Signature   *string        `help:"How events are signed: standard_webhooks, segment, or none." enum:"standard_webhooks,segment,none" env:"-" placeholder:"SCHEME"`
	Secret      *string        `help:"Where the signature's secret is: env:NAME or file:PATH." env:"-" placeholder:"REF"`
	Guard       revisionConfig `embed:""`
	Client      clientConfig   `embed:""`
	Output      outputConfig   `embed:""`
}

// Help is shown by --help.
func (sourceUpdate) Help() string {
	return "Examples:\n\n  millrace source update shop --disable\n\n" +
		"  millrace source update shop -e production --dedup-window=48h --signature=segment --secret=env:SHOP_SECRET"
}

// Run changes the source.
func (c *sourceUpdate) Run(ctx bound, tty terminal) error {
	r, err := c.Client.resource(ctx, c.Output, tty)
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	return show(r, api.Call{Method: http.MethodPatch, Path: api.Path("sources", c.Name), Body: body, Revision: c.Guard.IfRevision}, writeSource)
}

func (c *sourceUpdate) body() (changes, error) {
	body, settings := changes{}, changes{}
	body.text("name", c.Rename)
	body.text("description", c.Description)
	settings.text("dedup_window", c.DedupWindow)
	if c.MaxBytes != nil {
		settings["max_bytes"] = *c.MaxBytes
	}
	if err := c.sign(settings); err != nil {
		return nil, err
	}
	if c.Environment == "" && len(settings) > 0 {
		return nil, errors.New("say whose endpoint it is: --environment=NAME")
	}
	if c.Environment == "" {
		body.onOff("disabled", c.Disable, c.Enable)
		return body, body.needAny()
	}
	settings.onOff("disabled", c.Disable, c.Enable)
	if len(settings) > 0 {
		body["endpoints"] = map[string]any{c.Environment: settings}
	}
	return body, body.needAny()
}

func (c *sourceUpdate) sign(settings changes) error {
	scheme, secret := "", ""
	if c.Signature != nil {
		scheme = *c.Signature
	}
	if c.Secret != nil {
		secret = *c.Secret
	}
	isSigned := scheme != "" && scheme != "none"
	if isSigned != (secret != "") {
		return errors.New("--signature and --secret belong together")
	}
	switch {
	case isSigned:
		settings["signature"] = map[string]string{"scheme": scheme, "secret": secret}
	case scheme == "none":
		settings["signature"] = map[string]string{"scheme": "", "secret": ""}
	}
	return nil
}
