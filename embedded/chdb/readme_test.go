package chdb_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestTheTestsThatTheReadmeNamesExist(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var sources []byte
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source...)
	}
	for _, name := range regexp.MustCompile(`Test\w+`).FindAll(readme, -1) {
		if !bytes.Contains(sources, []byte("func "+string(name)+"(")) {
			t.Errorf("there is no %s", name)
		}
	}
}
