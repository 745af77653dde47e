package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/catalog"
	"github.com/millrace/millrace/secretref"
)

// scope is what a token may do; each scope includes those before it.
type scope int

// The scopes. Which call needs which stands with its route and in the OpenAPI document.
const (
	scopeRead  scope = iota + 1 // look at everything, endpoint URLs and secret references masked
	scopeWrite                  // see those, and change sources and triggers
	scopeAdmin                  // change environments and their workflow APIs, and list the tokens
)

func scopeNames() []string { return []string{"read", "write", "admin"} }

func (s scope) String() string { return scopeNames()[s-1] }

// token is a bearer token as it is kept: its sum, which says nothing about it.
type token struct {
	name  string
	scope scope
	sum   [sha256.Size]byte
}

// minTokenBytes keeps out tokens that can be guessed.
const minTokenBytes = 16

// tokenHelp is what every refusal of a token setting ends with.
const tokenHelp = "give NAME:SCOPE:REF, such as ci:write:env:CI_TOKEN or ops:admin:file:/run/secrets/ops, where SCOPE is read, write or admin"

// tokenSetting is an entry of the setting, not resolved yet.
type tokenSetting struct {
	name  string
	scope scope
	ref   string
}

// parseToken reads one entry. Its errors do not repeat the text: it may be a token, given by mistake.
func parseToken(text string) (tokenSetting, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 || parts[0] == "" {
		return tokenSetting{}, errors.New(tokenHelp)
	}
	known := slices.Index(scopeNames(), parts[1])
	if known < 0 {
		return tokenSetting{}, fmt.Errorf("its scope is none of %s; %s", strings.Join(scopeNames(), ", "), tokenHelp)
	}
	if err := secretref.Check(parts[2]); err != nil {
		return tokenSetting{}, fmt.Errorf("%w; %s", err, tokenHelp)
	}
	return tokenSetting{parts[0], scope(known + 1), parts[2]}, nil
}

// parseTokens reports every entry that cannot work.
func parseTokens(texts []string) ([]tokenSetting, error) {
	var parsed []tokenSetting
	var problems []error
	for i, text := range texts {
		setting, err := parseToken(text)
		sameName := func(other tokenSetting) bool { return other.name == setting.name }
		if err == nil && slices.ContainsFunc(parsed, sameName) {
			err = fmt.Errorf("another token is named %s; the name stands in the audit log, choose another", setting.name)
		}
		if err == nil && slices.Contains([]string{LoopbackActor, "system"}, setting.name) {
			err = fmt.Errorf("the name %s has a meaning in the audit log already; choose another", setting.name)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("--api-tokens, entry %d: %w", i+1, err))
			continue
		}
		parsed = append(parsed, setting)
	}
	return parsed, errors.Join(problems...)
}

// resolveTokens reads the tokens behind the settings.
func resolveTokens(texts []string) ([]token, error) {
	settings, err := parseTokens(texts)
	if err != nil {
		return nil, err
	}
	var tokens []token
	var problems []error
	for _, setting := range settings {
		secret, err := secretref.Resolve(setting.ref)
		made := token{setting.name, setting.scope, sha256.Sum256([]byte(secret))}
		sameSecret := func(other token) bool { return other.sum == made.sum }
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("--api-tokens, token %s: %w", setting.name, err))
		case len(secret) < minTokenBytes:
			problems = append(problems, fmt.Errorf("--api-tokens, token %s: it is shorter than %d characters; make one with `openssl rand -hex 32`", setting.name, minTokenBytes))
		case slices.ContainsFunc(tokens, sameSecret):
			problems = append(problems, fmt.Errorf("--api-tokens, token %s: another name has the same token; each needs its own", setting.name))
		default:
			tokens = append(tokens, made)
		}
	}
	return tokens, errors.Join(problems...)
}

// find returns the token that was presented. It compares with all of them, each in constant time, so that the time it
// takes says nothing about any.
func find(tokens []token, presented string) (token, bool) {
	sum := sha256.Sum256([]byte(presented))
	at := -1
	for i := range tokens {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], tokens[i].sum[:]), i, at)
	}
	if at < 0 {
		return token{}, false
	}
	return tokens[at], true
}

// authenticate finds out who asks. Without tokens that is whoever reaches the loopback interface.
func (a *API) authenticate(c *fiber.Ctx) error {
	who := token{name: LoopbackActor, scope: scopeAdmin}
	if len(a.tokens) == 0 {
		if err := checkLocal(c); err != nil {
			return err
		}
	} else {
		scheme, presented, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
		known, found := find(a.tokens, strings.TrimSpace(presented))
		if !found || !strings.EqualFold(scheme, "Bearer") {
			c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="millrace"`)
			return &problem{status: fiber.StatusUnauthorized, Code: "unauthorized", Message: "give a token that the setting --api-tokens knows, as the header Authorization: Bearer TOKEN"}
		}
		who = known
	}
	c.Locals(identityKey{}, who)
	c.SetUserContext(catalog.WithActor(c.UserContext(), who.name))
	return c.Next()
}

// identityKey is where a request holds who asks.
type identityKey struct{}

// who names the one who asks.
func who(c *fiber.Ctx) string {
	known, _ := c.Locals(identityKey{}).(token)
	return known.name
}

// may reports whether the one who asks has the scope.
func may(c *fiber.Ctx, wanted scope) bool {
	who, known := c.Locals(identityKey{}).(token)
	return known && who.scope >= wanted
}

// need refuses who has not the scope.
func need(c *fiber.Ctx, wanted scope) error {
	if may(c, wanted) {
		return nil
	}
	c.Set(fiber.HeaderWWWAuthenticate, fmt.Sprintf(`Bearer realm="millrace", error="insufficient_scope", scope=%q`, wanted.String()))
	return &problem{status: fiber.StatusForbidden, Code: "forbidden", Message: fmt.Sprintf("this needs a token with the scope %s", wanted)}
}

// needs stands in a route before its handler.
func (a *API) needs(wanted scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := need(c, wanted); err != nil {
			return err
		}
		if err := a.parameters.check(c); err != nil {
			return err
		}
		return c.Next()
	}
}

// checkListen refuses to serve everybody without a token.
func checkListen(listen string, tokens int) error {
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return fmt.Errorf("--api-listen %q: give HOST:PORT, such as 127.0.0.1:8081", listen)
	}
	if tokens > 0 || IsLoopback(listen) {
		return nil
	}
	return fmt.Errorf("the management API would listen on %s, where others reach it, without a token: set --api-tokens (MILLRACE_API_TOKENS), "+
		"for example --api-tokens=ops:admin:env:OPS_TOKEN, or keep it to this machine with --api-listen=127.0.0.1:8081", listen)
}
