package ingest

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/schemas"
)

// signatureTolerance is how far the time of a signed request may be from now, in both directions; the value is that of
// the Standard Webhooks reference libraries.
const signatureTolerance = 5 * time.Minute

// checkSignature refuses a request whose signature is missing or wrong. A secret that cannot be had is our fault.
func (i *Ingest) checkSignature(c *fiber.Ctx, signature schemas.Signature, body []byte, now time.Time) error {
	secret, err := i.secrets.Resolve(signature.SecretRef)
	if err != nil {
		i.logger.Error("checking signatures", "error", err)
		return unavailable("the signature cannot be checked at the moment; send the event again")
	}
	if signature.Scheme == schemas.SegmentSignature {
		return checkSegment(c.Get("x-signature"), secret, body)
	}
	return checkStandardWebhooks(standardHeaders{
		id: c.Get("webhook-id"), timestamp: c.Get("webhook-timestamp"), signature: c.Get("webhook-signature"),
	}, secret, body, now)
}

func unsigned(message string) error {
	return refuse(fiber.StatusUnauthorized, invalidSignature, message)
}

// checkSegment checks x-signature: the hex HMAC-SHA1 of the body.
func checkSegment(header, secret string, body []byte) error {
	if header == "" {
		return unsigned("this endpoint wants a signature in x-signature: the hex HMAC-SHA1 of the body")
	}
	given, err := hex.DecodeString(header)
	if err != nil {
		return unsigned("x-signature is not hex")
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(body)
	if !hmac.Equal(given, mac.Sum(nil)) {
		return unsigned("x-signature does not match the body; is it signed with this endpoint's secret?")
	}
	return nil
}

// standardHeaders are the headers of a request signed as Standard Webhooks says.
type standardHeaders struct{ id, timestamp, signature string }

// checkStandardWebhooks checks webhook-signature, a list of "v1,<base64>" of which one must be the HMAC-SHA256 of
// "id.timestamp.body". The list lets a sender sign with an old and a new secret while it changes them.
func checkStandardWebhooks(headers standardHeaders, secret string, body []byte, now time.Time) error {
	if headers.id == "" || headers.timestamp == "" || headers.signature == "" {
		return unsigned("this endpoint wants the headers webhook-id, webhook-timestamp and webhook-signature")
	}
	seconds, err := strconv.ParseInt(headers.timestamp, 10, 64)
	if err != nil {
		return unsigned("webhook-timestamp is not a number of seconds since 1970")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > signatureTolerance || age < -signatureTolerance {
		return unsigned("webhook-timestamp is more than 5 minutes off; is the clock right?")
	}
	mac := hmac.New(sha256.New, standardSecret(secret))
	mac.Write([]byte(headers.id + "." + headers.timestamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for given := range strings.FieldsSeq(headers.signature) {
		version, encoded, _ := strings.Cut(given, ",")
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && err == nil && hmac.Equal(decoded, want) {
			return nil
		}
	}
	return unsigned("webhook-signature does not match; is it signed with this endpoint's secret?")
}

// standardSecret returns the key of a secret in the form whsec_<base64>; any other is taken as it is.
func standardSecret(secret string) []byte {
	encoded, prefixed := strings.CutPrefix(secret, "whsec_")
	if !prefixed {
		return []byte(secret)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return []byte(secret)
	}
	return key
}
