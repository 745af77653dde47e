package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	helm "helm.sh/helm/v4/pkg/chart/v2"
	linter "helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

// kubernetes is the oldest version that the chart promises to work with.
const kubernetes = "1.30.0"

type chart struct{ *helm.Chart }

// lint is `helm lint`, for which a warning is an error. An icon is a matter of taste.
func lint(dir string) error {
	version, err := common.ParseKubeVersion(kubernetes)
	if err != nil {
		return err
	}
	var found []string
	for _, message := range linter.RunAll(dir, nil, "millrace", linter.WithKubeVersion(version)).Messages {
		if message.Severity >= support.WarningSev {
			found = append(found, message.Error())
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("helm lint:\n%s", strings.Join(found, "\n"))
	}
	return nil
}

func load(dir string) (chart, error) {
	loaded, err := loader.Load(dir)
	if err != nil {
		return chart{}, fmt.Errorf("loading the chart: %w", err)
	}
	return chart{loaded}, nil
}

// document is one object as the chart renders it.
type document struct {
	template string // the file that it comes from
	text     string
}

// render is `helm template` of a release millrace in the namespace millrace: by file, and in a file in its order.
func (c chart) render(values map[string]any) ([]document, error) {
	version, err := common.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, err
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	release := common.ReleaseOptions{Name: "millrace", Namespace: "millrace", Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(c.Chart, values, release, capabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c.Chart, all)
	if err != nil {
		return nil, err
	}
	var documents []document
	for _, name := range slices.Sorted(keys(files)) {
		if path.Ext(name) != ".yaml" {
			continue
		}
		for text := range strings.SplitSeq(files[name], "\n---\n") {
			if text = strings.TrimSpace(strings.TrimPrefix(text, "---\n")); text != "" {
				documents = append(documents, document{path.Base(name), text + "\n"})
			}
		}
	}
	return documents, nil
}

func keys(files map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range files {
			if !yield(name) {
				return
			}
		}
	}
}
