package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"

	"github.com/gofiber/fiber/v2"
)

//go:embed static
var staticFiles embed.FS

// assets are the style sheet and the scripts.
type assets struct {
	version string // changes with any of them, so that browsers may keep them for good
	files   map[string][]byte
}

func readAssets() (assets, error) {
	read := assets{files: map[string][]byte{}}
	sum := sha256.New()
	err := fs.WalkDir(staticFiles, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := staticFiles.ReadFile(name)
		read.files[path.Base(name)] = content
		fmt.Fprintf(sum, "%s %d %s", name, len(content), content)
		return err
	})
	read.version = hex.EncodeToString(sum.Sum(nil)[:6])
	return read, err
}

// serveAsset serves a file of any version: a page that was loaded before an update still finds its own.
func (w *Console) serveAsset(c *fiber.Ctx) error {
	content, found := w.assets.files[c.Params("name")]
	if !found {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, "no-cache")
	if c.Params("version") == w.assets.version {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	}
	c.Type(path.Ext(c.Params("name")), "utf-8")
	return c.Send(content)
}
