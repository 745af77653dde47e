package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/generate/bin"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/licensedetect/local"
	"github.com/rs/zerolog"
)

// writeSBOM writes what the binary consists of, as the binary itself says, with the licences that are found in the module
// cache. It is a function of the binary: no serial number, and the time is the commit's.
func writeSBOM(tree source, binary, target string) error {
	bom, err := describe(tree, binary)
	if err != nil {
		return fmt.Errorf("describing the binary's modules: %w", err)
	}
	out, err := os.Create(target)
	if err != nil {
		return fmt.Errorf("making the SBOM: %w", err)
	}
	encoder := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false)
	return errors.Join(encoder.Encode(bom), out.Close())
}

func describe(tree source, binary string) (*cdx.BOM, error) {
	defer withoutProxy()()
	generator, err := bin.NewGenerator(binary, bin.WithLogger(zerolog.Nop()), bin.WithIncludeStdlib(true),
		bin.WithLicenseDetector(local.NewDetector(zerolog.Nop())), bin.WithVersionOverride("v"+tree.version),
		bin.WithShortPURLS(true)) // the long ones name the platform of this machine
	if err != nil {
		return nil, err
	}
	bom, err := generator.Generate()
	if err != nil {
		return nil, err
	}
	bom.Metadata.Timestamp = tree.date.Format(time.RFC3339)
	bom.Metadata.Component.Licenses = license("Apache-2.0")
	for i, component := range *bom.Components {
		if component.Name == "std" { // it is no module of the cache
			(*bom.Components)[i].Licenses = license("BSD-3-Clause")
		}
	}
	return bom, nil
}

// withoutProxy keeps the go command that the generator runs to the module cache, until the returned function is called. The
// binary was built a moment ago, so its modules are there. The generator would also ask for Millrace itself, and what it
// writes must not depend on the answer.
func withoutProxy() (restore func()) {
	before := os.Getenv("GOPROXY")
	_ = os.Setenv("GOPROXY", "off") // it fails for other names only
	return func() { _ = os.Setenv("GOPROXY", before) }
}

func license(id string) *cdx.Licenses {
	return &cdx.Licenses{{License: &cdx.License{ID: id}}}
}
