package manifest_test

import (
	"testing"

	"github.com/millrace/millrace/catalog/manifest"
)

// FuzzRead checks that what can be read is written so that it reads the same again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(shop))
	f.Add([]byte(`[{"kind":"source","name":"s","description":"\ud83d"}]`))
	f.Add([]byte("kind: &a [*a]\n---\n? {}\n: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := manifest.Read(manifest.File{Name: "fuzz.yaml", Text: text})
		if err != nil {
			return
		}
		written := encode(t, m)
		if again := encode(t, read(t, written)); again != written {
			t.Errorf("written\n%s\nread again\n%s", written, again)
		}
	})
}
