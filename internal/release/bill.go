package main

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// The tool that writes the bill of materials. It is run by `go run` and never enters
// go.mod.
const billTool = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

func (r release) billFile() string { return "signatus-" + r.version + ".cdx.json" }

// bill writes which modules are in the binaries: one list, of the binary that has the
// most of them, which is held to all of them. It has no time and no serial number, so
// that it is the same wherever it is made.
func (r release) bill(ctx context.Context) error {
	file, err := filepath.Abs(filepath.Join(r.folder, r.billFile()))
	if err != nil {
		return err
	}
	of := filepath.Join(r.folder, target{"windows", "amd64"}.file(r.version)) // cobra needs a module more there
	if _, err := call(ctx, []string{"GOFLAGS=-mod=mod -trimpath", "CGO_ENABLED=0"}, "go", "run", billTool, "bin",
		"-json", "-noserial", "-notimestamp", "-std", "-short-purls", "-version", r.version, "-output", file, of); err != nil {
		return err
	}
	for _, t := range targets() {
		if err := billHolds(file, filepath.Join(r.folder, t.file(r.version))); err != nil {
			return err
		}
	}
	return nil
}

// billHolds refuses a bill that lacks a module of a binary.
func billHolds(bill, binary string) error {
	text, err := os.ReadFile(bill)
	if err != nil {
		return err
	}
	var listed struct {
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(text, &listed); err != nil {
		return fmt.Errorf("reading %s: %w", bill, err)
	}
	has := map[string]bool{}
	for _, c := range listed.Components {
		has[c.Name+" "+c.Version] = true
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	needs := []string{"std " + info.GoVersion}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		needs = append(needs, module.Path+" "+module.Version)
	}
	for _, module := range needs {
		if !has[module] {
			return fmt.Errorf("%s has the module %s, which the bill of materials lacks", filepath.Base(binary), module)
		}
	}
	return nil
}
