package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// checkFormat looks at the binary as its kernel would.
func checkFormat(binary string, t target) error {
	switch t.os {
	case "linux":
		return checkELF(binary, t)
	case "darwin":
		return checkMachO(binary, t)
	default:
		return fmt.Errorf("how a binary for %s looks is not known", t.os)
	}
}

func checkELF(binary string, t target) error {
	file, err := elf.Open(binary)
	if err != nil {
		return fmt.Errorf("reading it as ELF: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[t.arch]
	if file.Machine != machine {
		return fmt.Errorf("it is for %s, not for %s", file.Machine, machine)
	}
	needsLinker := slices.ContainsFunc(file.Progs, func(part *elf.Prog) bool { return part.Type == elf.PT_INTERP })
	if needsLinker == t.isStatic() {
		return fmt.Errorf("it needs a dynamic linker: %t; it is to be static: %t", needsLinker, t.isStatic())
	}
	return nil
}

func checkMachO(binary string, t target) error {
	file, err := macho.Open(binary)
	if err != nil {
		return fmt.Errorf("reading it as Mach-O: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	cpu := map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64}[t.arch]
	if file.Cpu != cpu || file.Type != macho.TypeExec {
		return fmt.Errorf("it is %s for %s, not an executable for %s", file.Type, file.Cpu, cpu)
	}
	return nil
}

// checkSettings compares what the go command wrote into the binary with what was asked for.
func checkSettings(info *buildinfo.BuildInfo, t target) error {
	found := map[string]string{}
	for _, setting := range info.Settings {
		found[setting.Key] = setting.Value
	}
	var problems []error
	for key, expected := range map[string]string{"GOOS": t.os, "GOARCH": t.arch, "CGO_ENABLED": "0", "-trimpath": "true", "-tags": t.tags} {
		if found[key] != expected {
			problems = append(problems, fmt.Errorf("it was built with %s=%s, not %s", key, found[key], expected))
		}
	}
	return errors.Join(problems...)
}

// checkTraces looks for what must be in a binary, and for what must not: the directories of this machine.
func checkTraces(ctx context.Context, tree source, binary string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	cache, err := moduleCache(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, text := range []string{tree.version, tree.commit, tree.dateText()} {
		if !bytes.Contains(content, []byte(text)) {
			problems = append(problems, fmt.Errorf("it does not contain %q", text))
		}
	}
	for _, dir := range []string{tree.root, cache} {
		if bytes.Contains(content, []byte(dir+string(filepath.Separator))) {
			problems = append(problems, fmt.Errorf("it contains the directory %s", dir))
		}
	}
	return errors.Join(problems...)
}
