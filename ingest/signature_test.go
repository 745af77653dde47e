package ingest_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/schemas"
)

func TestSegmentSignature(t *testing.T) {
	t.Setenv("TEST_SECRET", "s3cret")
	w := newWorld(t, nil)
	endpoint := w.endpoint("production", func(e *schemas.Endpoint) {
		e.Signature = &schemas.Signature{Scheme: schemas.SegmentSignature, SecretRef: "env:TEST_SECRET"}
	})
	sign := func(secret, body string) string {
		mac := hmac.New(sha1.New, []byte(secret))
		mac.Write([]byte(body))
		return hex.EncodeToString(mac.Sum(nil))
	}
	f := func(want int, headers ...string) {
		t.Helper()
		if got := w.post(endpoint, good, headers...); got.status != want || want == 401 && got.code != "invalid_signature" {
			t.Errorf("%v: answered %d %s, want %d", headers, got.status, got.body, want)
		}
	}
	f(204, "X-Signature", sign("s3cret", good))
	f(401)
	f(401, "X-Signature", "zz")
	f(401, "X-Signature", sign("other", good))
	f(401, "X-Signature", sign("s3cret", good+" "))
}

func TestStandardWebhooksSignature(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte("a secret of some bytes"))
	t.Setenv("TEST_SECRET", "whsec_"+secret)
	w := newWorld(t, nil)
	endpoint := w.endpoint("production", func(e *schemas.Endpoint) {
		e.Signature = &schemas.Signature{Scheme: schemas.StandardWebhooks, SecretRef: "env:TEST_SECRET"}
	})
	sign := func(key, id, timestamp string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(id + "." + timestamp + "." + good))
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	at := func(age time.Duration) string { return strconv.FormatInt(time.Now().Add(-age).Unix(), 10) }
	f := func(want int, id, timestamp, signature string) {
		t.Helper()
		got := w.post(endpoint, good, "webhook-id", id, "webhook-timestamp", timestamp, "webhook-signature", signature)
		if got.status != want || want == 401 && got.code != "invalid_signature" {
			t.Errorf("%s %s %s: answered %d %s, want %d", id, timestamp, signature, got.status, got.body, want)
		}
	}
	now, right := at(0), "a secret of some bytes"
	f(204, "msg_1", now, sign(right, "msg_1", now))
	f(204, "msg_1", now, sign("old", "msg_1", now)+" "+sign(right, "msg_1", now))
	f(401, "", "", "")
	f(401, "msg_1", now, sign("other", "msg_1", now))
	f(401, "msg_2", now, sign(right, "msg_1", now))
	f(401, "msg_1", "noon", sign(right, "msg_1", "noon"))
	f(401, "msg_1", at(6*time.Minute), sign(right, "msg_1", at(6*time.Minute)))
	f(401, "msg_1", at(-6*time.Minute), sign(right, "msg_1", at(-6*time.Minute)))
	f(401, "msg_1", now, "v2,"+sign(right, "msg_1", now)[3:])
}

func TestSecretThatCannotBeHadIsOurFault(t *testing.T) {
	w := newWorld(t, nil)
	endpoint := w.endpoint("production", func(e *schemas.Endpoint) {
		e.Signature = &schemas.Signature{Scheme: schemas.SegmentSignature, SecretRef: "env:NOT_SET_ANYWHERE"}
	})
	requireUnavailable(t, w.post(endpoint, good, "X-Signature", "00"))
}
