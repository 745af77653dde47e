package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// defaultSettingsFile is read when it exists and no other is named.
const defaultSettingsFile = "millrace.yaml"

// parse reads the command line, and the settings file that it names.
func parse(parser *kong.Kong, args []string) (*kong.Context, error) {
	path, err := settingsPath(args)
	if err != nil || path == "" {
		return parseAll(parser, args, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the settings file: %w", err)
	}
	defer file.Close()
	settings, err := loadSettings(file)
	if err != nil {
		return nil, fmt.Errorf("reading the settings file %s: %w", path, err)
	}
	if err := kong.Resolvers(settings).Apply(parser); err != nil {
		return nil, err
	}
	return parser.Parse(args)
}

func parseAll(parser *kong.Kong, args []string, err error) (*kong.Context, error) {
	if err != nil {
		return nil, err
	}
	return parser.Parse(args)
}

// settingsPath finds the settings file before the other flags are parsed: the flag, the variable, the default if there.
func settingsPath(args []string) (string, error) {
	for i, arg := range args {
		if path, found := strings.CutPrefix(arg, "--config="); found {
			return path, nil
		}
		if arg == "--config" && i+1 < len(args) {
			return args[i+1], nil
		}
	}
	if path, set := os.LookupEnv("MILLRACE_CONFIG"); set {
		return path, nil
	}
	if _, err := os.Stat(defaultSettingsFile); err == nil {
		return defaultSettingsFile, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("looking for %s: %w", defaultSettingsFile, err)
	}
	return "", nil
}

// settings are the entries of the settings file by flag name. The file nests as the flags' names do: kafka: {brokers:
// [...]} is --kafka-brokers. It is shared by all commands; what a command does not know it leaves alone, what no
// command knows is refused. kong's own YAML resolver does neither, and lets the file win over the environment.
type settings map[string]any

func loadSettings(file io.Reader) (settings, error) {
	var tree map[string]any
	if err := yaml.NewDecoder(file).Decode(&tree); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	flat := settings{}
	flat.add("", tree)
	return flat, nil
}

func (s settings) add(prefix string, tree map[string]any) {
	for name, value := range tree {
		name = prefix + strings.ReplaceAll(name, "_", "-")
		if branch, isBranch := value.(map[string]any); isBranch {
			s.add(name+"-", branch)
			continue
		}
		s[name] = value
	}
}

// Validate implements kong.Resolver: it refuses entries that are no setting of any command.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	note := func(node *kong.Node) {
		for _, flag := range node.Flags {
			known[flag.Name] = true
		}
	}
	note(app.Node)
	for _, command := range app.Leaves(false) {
		note(command)
	}
	var unknown []string
	for name := range s {
		if !known[name] {
			unknown = append(unknown, strings.ReplaceAll(name, "-", "."))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("the settings file has entries that are no settings: %s; `millrace COMMAND --help` lists the settings", strings.Join(unknown, ", "))
}

// Resolve implements kong.Resolver: the file's value, unless the environment has one.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	value, found := s[flag.Name]
	if !found {
		return nil, nil
	}
	if list, isList := value.([]any); isList {
		parts := make([]string, len(list))
		for i, item := range list {
			parts[i] = fmt.Sprint(item)
		}
		return strings.Join(parts, ","), nil
	}
	return fmt.Sprint(value), nil
}
