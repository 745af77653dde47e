package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/millrace/millrace/api"
	"github.com/millrace/millrace/secretref"
)

// A login is the visitor's token in a cookie, sealed with a key that only the console has. So there is nothing to store,
// to bound or to share, and no script and no copied cookie jar sees a token that works at the API.

// sessionLength is how long a login lasts.
const sessionLength = 12 * time.Hour

// minKeyLength keeps out session keys that can be guessed.
const minKeyLength = 16

// seal encrypts tokens.
type seal struct{ aead cipher.AEAD }

// newSeal returns the seal of the key behind a reference, or of a random one.
func newSeal(ref string) (seal, error) {
	secret := rand.Text()
	if ref != "" {
		resolved, err := secretref.Resolve(ref)
		if err != nil {
			return seal{}, fmt.Errorf("--console-session-key: %w", err)
		}
		if len(resolved) < minKeyLength {
			return seal{}, fmt.Errorf("--console-session-key: it is shorter than %d characters; make one with `openssl rand -hex 32`", minKeyLength)
		}
		secret = resolved
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "millrace console session", 32)
	if err != nil {
		return seal{}, fmt.Errorf("deriving the session key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return seal{}, fmt.Errorf("making the session key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return seal{aead}, err
}

// close returns what stands for the token until then.
func (s seal) close(token string, until time.Time) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, append(text, token...), nil))
}

// open returns the token, unless it is past its time or nothing that this console has sealed.
func (s seal) open(sealed string, now time.Time) (token string, found bool) {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", false
	}
	opened, err := s.aead.Open(nil, nil, text, nil)
	if err != nil || len(opened) <= 8 || now.Unix() >= int64(binary.BigEndian.Uint64(opened)) {
		return "", false
	}
	return string(opened[8:]), true
}

// Names of the cookie. Browsers take one that begins with __Host- over TLS only, and from no other host.
const (
	cookieName      = "__Host-millrace"
	localCookieName = "millrace"
)

// sessionCookie is the cookie without its value. On this machine it works without TLS.
func sessionCookie(c *fiber.Ctx) *fiber.Cookie {
	cookie := &fiber.Cookie{Name: cookieName, Path: "/", Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode}
	if api.IsLoopback(string(c.Request().Header.Host())) {
		cookie.Name, cookie.Secure = localCookieName, false
	}
	return cookie
}

func (w *Console) remember(c *fiber.Ctx, token string) {
	cookie := sessionCookie(c)
	cookie.Value, cookie.MaxAge = w.seal.close(token, time.Now().Add(sessionLength)), int(sessionLength.Seconds())
	c.Cookie(cookie)
}

func forget(c *fiber.Ctx) {
	cookie := sessionCookie(c)
	cookie.Expires = time.Unix(1, 0)
	c.Cookie(cookie)
}

// token returns the token of whoever has logged in, or "".
func (w *Console) token(c *fiber.Ctx) string {
	token, _ := w.seal.open(c.Cookies(sessionCookie(c).Name), time.Now())
	return token
}
