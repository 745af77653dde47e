package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

//go:embed templates
var templateFiles embed.FS

// page is what a handler shows.
type page struct {
	Name      string // of its template
	Title     string
	Section   string // path of its entry in the navigation
	Tab       string // path of the tab of the section that it is; "" is none of them
	TabFilter string // what its tabs keep of the address, from the question mark on
	Notice    string // what has just been done
	Loading   bool   // a part is still to come
	Content   any
}

// frame is what the layout and the templates of pages see.
type frame struct {
	page
	Visitor    visitor
	Navigation []section
	Again      string // address of the page with all its parts
}

// parsePages reads templates/NAME.html, each within templates/layout.html and beside the parts that all may use.
func parsePages(version string) (map[string]*template.Template, error) {
	common, err := template.New("").Funcs(functions(version)).ParseFS(templateFiles, "templates/layout.html", "templates/parts/*.html")
	if err != nil {
		return nil, fmt.Errorf("reading the templates of the console: %w", err)
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		own, err := common.Clone()
		if err == nil {
			own, err = own.ParseFS(templateFiles, name)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the template %s of the console: %w", name, err)
		}
		pages[strings.TrimSuffix(path.Base(name), ".html")] = own
	}
	return pages, nil
}

// show answers with a page, or with an error and nothing of the page.
func (w *Console) show(c *fiber.Ctx, status int, p page) error {
	html, err := w.write(p, visitorOf(c), again(c))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store") // it is the visitor's alone
	c.Type("html", "utf-8")
	return c.Status(status).Send(html)
}

// write writes a page for a visitor. Again is its address with all its parts.
func (w *Console) write(p page, who visitor, again string) ([]byte, error) {
	var html bytes.Buffer
	if err := w.pages[p.Name].ExecuteTemplate(&html, "layout", frame{p, who, navigation(), again}); err != nil {
		return nil, fmt.Errorf("writing the page %s: %w", p.Name, err)
	}
	return html.Bytes(), nil
}

// fragment writes a part of a page, for a script to put into it.
func (w *Console) fragment(name string, content any) ([]byte, error) {
	var html bytes.Buffer
	if err := w.pages["logs"].ExecuteTemplate(&html, name, content); err != nil {
		return nil, fmt.Errorf("writing the part %s of a page: %w", name, err)
	}
	return html.Bytes(), nil
}
