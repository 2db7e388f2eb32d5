package login

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
)

// systemBrowser opens the system's browser. The library's own opener is not used:
// it gives this process's standard output to the browser.
func systemBrowser(ctx context.Context) func(string) error {
	return func(address string) error {
		program := browserOf(runtime.GOOS)
		path, err := exec.LookPath(program[0])
		if err != nil {
			return errors.New("this machine has no " + program[0])
		}
		// The browser outlives the login.
		return exec.CommandContext(context.WithoutCancel(ctx), path, append(program[1:], address)...).Run() //nolint:gosec // discover has seen that the address opens with http
	}
}

// browserOf is the program that shows an address, and its first arguments.
func browserOf(system string) []string {
	switch system {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	default:
		return []string{"xdg-open"}
	}
}
