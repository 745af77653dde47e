package main

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

// sbom is as much of CycloneDX as is compared.
type sbom struct {
	Format   string `json:"bomFormat"`
	Metadata struct {
		Timestamp time.Time `json:"timestamp"`
		Component component `json:"component"`
	} `json:"metadata"`
	Components []component `json:"components"`
}

type component struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Hashes  []struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	} `json:"hashes"`
}

// checkSBOM compares the SBOM with what the binary says of itself: no module more, none less, each with its checksum.
func checkSBOM(path string, tree source, info *buildinfo.BuildInfo) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var bom sbom
	if err := json.Unmarshal(text, &bom); err != nil {
		return fmt.Errorf("reading the SBOM: %w", err)
	}
	main := bom.Metadata.Component
	if bom.Format != "CycloneDX" || main.Name != info.Main.Path || main.Version != "v"+tree.version {
		return fmt.Errorf("it is the %s SBOM of %s %s, not of %s v%s", bom.Format, main.Name, main.Version, info.Main.Path, tree.version)
	}
	if !bom.Metadata.Timestamp.Equal(tree.date) {
		return fmt.Errorf("the SBOM is from %s and should be from the commit's date, %s", bom.Metadata.Timestamp, tree.date)
	}
	expected, err := modulesOf(info)
	if err != nil {
		return err
	}
	return compare(listedIn(bom), expected)
}

// modulesOf are the modules in a binary, and Go's standard library: name and version, with the SHA-256 if one is known.
func modulesOf(info *buildinfo.BuildInfo) (map[string]string, error) {
	modules := map[string]string{"std " + info.GoVersion: ""}
	for _, module := range info.Deps {
		name, sum, err := identity(module)
		if err != nil {
			return nil, err
		}
		modules[name] = sum
	}
	return modules, nil
}

func identity(module *debug.Module) (name, sum string, err error) {
	if module.Replace != nil {
		module = module.Replace
	}
	encoded, _ := strings.CutPrefix(module.Sum, "h1:")
	bytes, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", fmt.Errorf("the checksum of %s: %w", module.Path, err)
	}
	return module.Path + " " + module.Version, hex.EncodeToString(bytes), nil
}

func listedIn(bom sbom) map[string]string {
	modules := map[string]string{}
	for _, c := range bom.Components {
		sum := ""
		for _, hash := range c.Hashes {
			if hash.Algorithm == "SHA-256" {
				sum = hash.Content
			}
		}
		modules[c.Name+" "+c.Version] = sum
	}
	return modules
}

func compare(listed, expected map[string]string) error {
	var problems []error
	for name, sum := range expected {
		found, is := listed[name]
		if !is {
			problems = append(problems, fmt.Errorf("the SBOM does not list %s", name))
		} else if found != sum {
			problems = append(problems, fmt.Errorf("the SBOM lists %s with the checksum %s, which is %s", name, found, sum))
		}
	}
	for name := range maps.Keys(listed) {
		if _, is := expected[name]; !is {
			problems = append(problems, fmt.Errorf("the SBOM lists %s, which the binary has not", name))
		}
	}
	return errors.Join(problems...)
}
