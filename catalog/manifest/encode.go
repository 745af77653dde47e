package manifest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Encode writes the manifest as YAML documents. Endpoints with defaults are left out, and triggers that differ in their
// environment alone are one document.
func Encode(m Manifest) ([]byte, error) {
	roots, err := m.roots()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	for _, root := range roots {
		style(root, false)
		if err := encoder.Encode(root); err != nil {
			return nil, err
		}
	}
	if len(roots) == 0 {
		return nil, nil
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (m Manifest) roots() ([]*yaml.Node, error) {
	m.Sources = slices.Clone(m.Sources)
	for i, s := range m.Sources {
		m.Sources[i].Endpoints = withoutDefaults(s.Endpoints)
	}
	var environments [][]string
	m.Triggers, environments = grouped(m.Triggers)
	documents, _, err := m.Resources()
	if err != nil {
		return nil, err
	}
	var roots []*yaml.Node
	for i, document := range documents {
		read, err := jsonTrees(document)
		if err != nil {
			return nil, err
		}
		roots = append(roots, read[0])
		if trigger := i - len(m.Environments) - len(m.Sources); trigger >= 0 {
			nameEnvironments(read[0], environments[trigger])
		}
	}
	return roots, nil
}

func withoutDefaults(endpoints map[string]Endpoint) map[string]Endpoint {
	kept := maps.Clone(endpoints)
	maps.DeleteFunc(kept, func(_ string, e Endpoint) bool { return e.isDefault() })
	return kept
}

// grouped returns one of each set of triggers that are alike, at the place of the first, and the environments of each.
func grouped(triggers []Trigger) (kept []Trigger, environments [][]string) {
	known := map[string]int{}
	for _, t := range triggers {
		environment := t.Environment
		t.Environment = ""
		key, err := plainJSON(t)
		if at, alike := known[string(key)]; alike && err == nil {
			environments[at] = append(environments[at], environment)
			continue
		}
		known[string(key)] = len(kept)
		kept, environments = append(kept, t), append(environments, []string{environment})
	}
	return kept, environments
}

// nameEnvironments writes a trigger's environment, or its environments.
func nameEnvironments(trigger *yaml.Node, environments []string) {
	slices.Sort(environments)
	for i, node := range trigger.Content {
		if i%2 != 0 || node.Value != "environment" {
			continue
		}
		if len(environments) == 1 {
			trigger.Content[i+1].Value = environments[0]
			return
		}
		node.Value = "environments"
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
		for _, name := range environments {
			list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name})
		}
		trigger.Content[i+1] = list
		return
	}
}

// style chooses how values are written: expressions of several lines as such, literals of a mapping in one line.
func style(node *yaml.Node, inLiteral bool) {
	switch {
	case node.Kind == yaml.ScalarNode:
		node.Style = textStyle(node.Value, inLiteral)
	case inLiteral:
		node.Style = yaml.FlowStyle
	}
	for i, child := range node.Content {
		isLiteral := node.Kind == yaml.MappingNode && i%2 == 1 && node.Content[i-1].Value == "value"
		style(child, inLiteral || isLiteral)
	}
}

// textStyle quotes what the YAML library would lose as plain text, such as the line separators of Unicode.
func textStyle(text string, inLiteral bool) yaml.Style {
	odd := strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' || r == '\u2028' || r == '\u2029' || r == '\ufeff'
	})
	several := strings.Contains(text, "\n")
	begins := strings.TrimLeft(text, " \n") == text
	switch {
	case odd, several && (inLiteral || !begins):
		return yaml.DoubleQuotedStyle
	case several:
		return yaml.LiteralStyle
	}
	return 0
}

// YAML writes JSON as YAML.
func YAML(document []byte) ([]byte, error) {
	reader := newJSONReader(document)
	root, err := reader.value()
	if err != nil {
		return nil, err
	}
	style(root, false)
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), encoder.Close()
}
