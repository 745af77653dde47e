package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace/millrace/secretref"
)

// The mechanisms.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
	mechanismOAuth    = "OAUTHBEARER"
)

func mechanisms() []string {
	return []string{mechanismPlain, mechanismScram256, mechanismScram512, mechanismOAuth}
}

// SASL says as whom this process comes to the brokers. What is given by reference is read again at each authentication,
// so that a password or a token that was replaced holds without a restart.
type SASL struct {
	Mechanism   string            `help:"How this process proves to the brokers who it is: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; empty is not at all." placeholder:"NAME"`
	User        string            `help:"Its name, or where the name is: env:NAME or file:PATH. Not for OAUTHBEARER." placeholder:"NAME"`
	PasswordRef string            `name:"password" help:"Where its password is: env:NAME or file:PATH. Read again for each connection." placeholder:"REF"`
	TokenRef    string            `name:"token" help:"Where the token for OAUTHBEARER is: env:NAME or file:PATH. Read again for each connection, and before the brokers' session ends: whoever renews tokens writes them there." placeholder:"REF"`
	Extensions  map[string]string `help:"What OAUTHBEARER sends along, for brokers that ask for it." placeholder:"NAME=VALUE;..."`
	WithoutTLS  bool              `name:"without-tls" help:"Prove it unencrypted to brokers beyond this machine, too. Who listens then has the password or the token, or with SCRAM what to guess the password from; and may take the connection over."`
}

func (s SASL) isOn() bool { return s.Mechanism != "" }

func (s SASL) validate() error {
	switch {
	case !s.isOn() && (s.User != "" || s.PasswordRef != "" || s.TokenRef != "" || len(s.Extensions) > 0):
		return fmt.Errorf("--kafka-sasl-mechanism is not given, other settings of SASL are; choose one of %s", strings.Join(mechanisms(), ", "))
	case !s.isOn():
		return nil
	case !slices.Contains(mechanisms(), s.Mechanism):
		return fmt.Errorf("--kafka-sasl-mechanism %q: use one of %s", s.Mechanism, strings.Join(mechanisms(), ", "))
	case s.Mechanism == mechanismOAuth:
		_, err := s.token()
		return errors.Join(err, s.foreign("--kafka-sasl-user and --kafka-sasl-password are", s.User != "" || s.PasswordRef != ""))
	default:
		_, _, err := s.credentials()
		return errors.Join(err, s.foreign("--kafka-sasl-token and --kafka-sasl-extensions are", s.TokenRef != "" || len(s.Extensions) > 0))
	}
}

// foreign reports settings that the mechanism would ignore.
func (s SASL) foreign(settings string, isGiven bool) error {
	if !isGiven {
		return nil
	}
	return fmt.Errorf("%s not for %s: leave them out, or choose another --kafka-sasl-mechanism", settings, s.Mechanism)
}

// mechanism reads what it sends at each authentication. The settings must be valid.
func (s SASL) mechanism() sasl.Mechanism {
	switch s.Mechanism {
	case mechanismOAuth:
		return bearer{oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := s.token()
			return oauth.Auth{Token: token, Extensions: s.Extensions}, err
		})}
	case mechanismPlain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			user, password, err := s.credentials()
			return plain.Auth{User: user, Pass: password}, err
		})
	}
	login := func(context.Context) (scram.Auth, error) {
		user, password, err := s.credentials()
		return scram.Auth{User: user, Pass: password}, err
	}
	if s.Mechanism == mechanismScram512 {
		return scram.Sha512(login)
	}
	return scram.Sha256(login)
}

// proof names the settings that a broker judges.
func (s SASL) proof() string {
	if s.Mechanism == mechanismOAuth {
		return "the token that --kafka-sasl-token refers to"
	}
	return "--kafka-sasl-user and the password that --kafka-sasl-password refers to"
}

func (s SASL) credentials() (user, password string, err error) {
	user, userErr := s.User, error(nil)
	if secretref.Check(user) == nil {
		user, userErr = resolve("--kafka-sasl-user", user)
	} else if user == "" {
		userErr = fmt.Errorf("--kafka-sasl-user is not given; %s needs one", s.Mechanism)
	}
	password, passwordErr := resolve("--kafka-sasl-password", s.PasswordRef)
	return user, password, errors.Join(userErr, passwordErr)
}

func (s SASL) token() (string, error) { return resolve("--kafka-sasl-token", s.TokenRef) }

// resolve reads what a setting refers to, which may not be empty.
func resolve(setting, ref string) (string, error) {
	secret, err := secretref.Resolve(ref)
	if err != nil {
		return "", fmt.Errorf("%s: %w", setting, err)
	}
	if secret == "" {
		return "", fmt.Errorf("%s: %s is empty", setting, ref)
	}
	return secret, nil
}
